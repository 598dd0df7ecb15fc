"""The night told to people: one page on the flow run, and what MLflow's search can find it by."""

from collections.abc import Mapping

from prefect import task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.cache_policies import NO_CACHE

from learning.reports.figures import positive_class
from learning.reports.page import headline, page
from learning.reports.recipes import calibration_tag
from learning.reports.texts import escaped, escaped_rows
from learning.reports.trials import leaderboard
from schemas.night import Night

_LONGEST_TAG = 5000  # MLflow's own limit is 8000


@task(name="report", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def report(night: Night) -> None:
    """The night's page, its leaderboard and the way to MLflow, as artifacts of the flow run."""
    key = night.plan.replace("_", "-")
    # `page` escapes by itself; what is beside it is shown as HTML too.
    create_markdown_artifact(
        key=f"night-{key}",
        markdown=page(night),
        description=escaped(headline(night)),
    )
    create_table_artifact(
        key=f"leaderboard-{key}",
        table=escaped_rows(leaderboard(night.studies, night.objective)),
        description=f"Best trials of all families; {escaped(night.objective)} out of fold, "
        "after offsets",
    )
    if night.mlflow_link:
        text = "This night in MLflow: studies, trials, pictures, the model"
        create_link_artifact(key=f"mlflow-{key}", link=night.mlflow_link, link_text=text)


def tags(night: Night) -> Mapping[str, str]:
    """What MLflow's search can find the night by.

    `positive_class` says whose hits are the true positives, where a label has two classes.
    """
    targets = night.judgement.cards["challenger"].targets
    positives = {
        target.name: target.classes[positive].name
        for target in targets
        if (positive := positive_class(target)) is not None
    }
    several = (f"{name}: {text}" for name, text in positives.items())
    told = positives.get(targets[0].name, "") if len(targets) == 1 else "; ".join(several)
    return {
        "verdict": night.judgement.verdict.decision,
        "contender": night.judgement.contender,
        "objective": night.objective,
        "positive_class": told[:_LONGEST_TAG],
        "calibration": calibration_tag(night)[:_LONGEST_TAG],
        "manifest": night.manifest_digest,
        "champion_before": str(night.champion_before or ""),
    }
