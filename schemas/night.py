"""The record that a night's page, files and figures are rendered from; nothing is retyped."""

from pydantic import AwareDatetime

from schemas.label import Target
from schemas.ledger import Version
from schemas.manifest import Changes, Rows
from schemas.profile import Move
from schemas.results import Scorecard, Verdict, WithinScore
from schemas.strict import Strict
from schemas.trials import MethodScore, RefitResult, StudyResult

BASELINE = "class-weighted logistic regression"
"""Trained every night; a first champion beats it, or is it."""


class Standing(Strict):
    """The champion as it can be loaded tonight: a verified version in a local folder.

    `note` tells where it is not the version that `champion.json` names.
    """

    version: Version
    folder: str
    note: str = ""


class Judgement(Strict):
    """The models on the holdout and what follows. `cards` has `challenger`, `baseline` (the
    class-weighted logistic regression) and, where there is one, `champion`; `finalist` where the
    best of the search did not prove better than the baseline and the baseline contends.

    `contender` names which of tonight's fits stands as challenger; `excluded` counts holdout rows
    set aside because one of the models was trained on their group. `within`, where there are
    several targets, has the challenger's classes of each target within each class of the others.
    """

    contender: str
    cards: dict[str, Scorecard]
    verdict: Verdict
    rows: int
    excluded: int = 0
    notes: tuple[str, ...] = ()
    within: tuple[WithinScore, ...] = ()


class Night(Strict):
    """All that one night found, from what was new to why it decided so.

    `moves` are figures of the rows that arrived which are far from the last accepted night's, and
    `findings` says where it stands what is wrong with the data, if anything is.
    """

    plan: str
    run_id: str
    started_at: AwareDatetime
    manifest_digest: str
    objects: int
    changes: Changes
    rows: Rows
    targets: tuple[Target, ...]
    objective: str
    methods: tuple[MethodScore, ...]
    studies: tuple[StudyResult, ...]
    fits: dict[str, RefitResult]
    judgement: Judgement
    notes: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    findings: str = ""
    champion_before: int | None = None
    champion_after: int | None = None
    version: int | None = None
    budget_minutes: float
    stage_seconds: dict[str, float] = {}
    mlflow_run: str = ""
    mlflow_link: str = ""
