"""The judgement: every model of the night and the champion on the same untouched rows."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from learning.answers import Answers
from learning.deciding.objectives import aims
from learning.judging.evaluation import scorecard
from learning.judging.gate import judge
from learning.judging.holdout import (
    Holdout,
    answer,
    best_constant,
    constant_name,
    differences,
    read_holdout,
    untouched,
)
from learning.judging.within import within
from learning.keeping.models import FittedModel, load, training_keys
from learning.reports.files import answer_pictures
from schemas.manifest import ROW, Rows
from schemas.night import BASELINE, Judgement, Standing
from schemas.plan import Plan
from schemas.results import Verdict
from schemas.trials import RefitResult

PREDICTIONS = "holdout_predictions.parquet"
PICTURES = "pictures"


@task(name="judge", cache_policy=NO_CACHE)
def judge_night(
    plan: Plan,
    rows: Rows,
    finalist: str,
    fits: Mapping[str, RefitResult],
    champion: Standing | None,
    out: Path,
) -> Judgement:
    """The verdict on tonight's finalist, with the scorecards of all who answered.

    `fits` has the finalist and the baseline. The contender's holdout answers, and pictures of
    everybody's probabilities (`PICTURES/ROLE/...`), are written to `out`, beside the model; what an
    earlier attempt left there is removed. Of the contender's probabilities the pictures also tell
    what they were before the prior shift and the calibration.

    Raises
    ------
    ModelRefused
        A model's bytes are not those that were recorded.
    """
    log = get_run_logger()
    shutil.rmtree(out, ignore_errors=True)
    kept = {name: (Path(fit.out), fit.digest) for name, fit in fits.items()}
    if champion is not None:
        kept["champion"] = (Path(champion.folder), champion.version.digest)
    models = {name: load(folder, digest) for name, (folder, digest) in kept.items()}
    whole = read_holdout(rows, plan.dataset.columns)
    holdout = untouched(whole, [training_keys(folder, d) for folder, d in kept.values()])
    answers = {n: answer(model, holdout, plan.targets) for n, model in models.items()}
    reference = f"version {champion.version.number}" if champion else ""
    contender, verdict, notes = _decide(plan, holdout, answers, finalist, reference)
    _write_predictions(models[contender], holdout, answers[contender], out)
    named = {"challenger": contender, "baseline": BASELINE}
    named |= {"champion": "champion"} if champion is not None else {}
    named |= {"finalist": finalist} if finalist != contender else {}
    cards = {
        role: scorecard(
            holdout.labels,
            answers[name],
            plan.targets,
            plan.objective,
            plan.gate,
            plan.search.seed,
        )
        for role, name in named.items()
    }
    before = {"challenger": models[contender].raw_probabilities(holdout.frame)}
    for role, name in named.items():
        title = f"{plan.name}: {role}"
        pictures = answer_pictures(
            holdout.labels, answers[name], plan.targets, title, before.get(role)
        )
        _write_pictures(pictures, out / PICTURES / role)
    log.info("%s: %s", verdict.decision, "; ".join(verdict.reasons))
    return Judgement(
        contender=contender,
        cards=cards,
        verdict=verdict,
        rows=len(holdout.labels),
        excluded=len(whole.labels) - len(holdout.labels),
        notes=(*notes, *_notes(champion, models.get("champion"), plan)),
        within=within(holdout.labels, answers[contender].decisions, plan.targets),
    )


def _notes(champion: Standing | None, model: FittedModel | None, plan: Plan) -> list[str]:
    """What a reader of the verdict has to know about the champion."""
    if champion is None or model is None:
        return []
    told = differences(model, plan.dataset.columns, plan.targets)
    number = champion.version.number
    return [n for n in (champion.note,) if n] + [f"version {number} {each}" for each in told]


def _decide(
    plan: Plan,
    holdout: Holdout,
    answers: Mapping[str, Answers],
    finalist: str,
    reference: str,
) -> tuple[str, Verdict, tuple[str, ...]]:
    """Who contends, and the verdict. A first champion must beat the baseline or be it."""

    def against(reference: Answers, challenger: str, name: str, *, harm: bool = True) -> Verdict:
        return judge(
            holdout.labels,
            reference,
            answers[challenger],
            plan.targets,
            plan.objective,
            plan.gate,
            plan.search.seed,
            name,
            harm=harm,
        )

    if "champion" in answers:
        return finalist, against(answers["champion"], finalist, reference), ()
    contender, notes = finalist, tuple[str, ...]()
    if finalist != BASELINE:
        first = against(answers[BASELINE], finalist, BASELINE)
        notes = tuple(f"{finalist} against the baseline: {reason}" for reason in first.reasons)
        contender = finalist if first.decision == "PROMOTE" else BASELINE
    floor = best_constant(holdout.labels, plan.targets, aims(plan.objective, plan.targets))
    no_model = constant_name(floor, plan.targets)
    return contender, against(floor, contender, no_model, harm=False), notes


def _write_pictures(pictures: Mapping[str, bytes], out: Path) -> None:
    for name, body in pictures.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(body)


def _write_predictions(model: FittedModel, holdout: Holdout, answers: Answers, out: Path) -> None:
    """Row references, truth, decision and probabilities; never a cell of the data."""
    told: dict[str, object] = {"row": holdout.frame[ROW].to_numpy()}
    for place, target in enumerate(model.targets):
        prefix = f"{target.name}_" if len(model.targets) > 1 else ""
        texts = np.array(target.class_texts, dtype=object)
        told[f"{prefix}label"] = texts[holdout.labels[:, place]]
        told[f"{prefix}prediction"] = texts[answers.decisions[:, place]]
        for c, text in enumerate(texts):
            told[f"{prefix}probability_{text}"] = answers.probabilities[place][:, c]
    out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(told).to_parquet(out / PREDICTIONS, index=False)
