"""The memory: one create-only record an attempt, and the one object that names the champion."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, PositiveFloat

from schemas.manifest import Changes, ManifestRef
from schemas.profile import Profile
from schemas.results import Decision, Interval, Verdict
from schemas.strict import Strict

Outcome = Literal[
    "skipped", "rejected-data", "held", "insufficient-evidence", "promoted", "failed", "rolled-back"
]
FINISHED: frozenset[Outcome] = frozenset({"held", "insufficient-evidence", "promoted"})
"""Outcomes that settle a manifest: the next night on the same data and plan is skipped.

Rejected data does not: it is refused, told and recorded again until the source is mended.
"""

BAD_PLAN = "bad-plan"
"""The note on a night that its plan kept from starting."""


class Version(Strict):
    """A registered model. `digest` is the sha256 of its manifest, kept outside of the model."""

    plan: str
    number: int
    digest: str
    family: str
    run_id: str
    created_at: AwareDatetime
    score: Interval | None = None
    holdout_rows: int = 0
    verdict: Decision | None = None
    mlflow_version: str | None = None
    mlflow_run_id: str | None = None


class ListedVersion(Version):
    """A version as `nightshift models list --json` tells it."""

    champion: bool


class Champion(Strict):
    """`champion.json`: who answers now, and who did before."""

    plan: str
    version: int
    digest: str
    since: AwareDatetime
    run_id: str
    previous: int | None = None
    cutoff: datetime | None = None


class Claim(Strict):
    """Who works on a plan right now; worth nothing after `expires_at`.

    One a plan, whatever the data: two nights of one plan would judge against a champion that the
    other is about to replace. `manifest` is there once the run has seen its data.

    `process_start` tells the holder from a later process of the same `pid`; empty where the system
    can't tell. `ttl_s` is how long each renewal lasts; `plan_digest` and `code_version` are for
    the record that somebody else writes should the holder be killed.
    """

    plan: str
    run_id: str
    host: str
    pid: int
    started_at: AwareDatetime
    expires_at: AwareDatetime
    process_start: str = ""
    ttl_s: PositiveFloat = 120.0
    plan_digest: str = ""
    code_version: str = ""
    manifest: ManifestRef | None = None


class Record(Strict):
    """One attempt at a night, also when nothing was trained.

    `profile` is of the rows that it read: those that arrive later are compared with it.
    """

    plan: str
    outcome: Outcome
    run_id: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    reasons: tuple[str, ...]
    plan_digest: str
    code_version: str
    manifest: ManifestRef | None = None
    changes: Changes = Changes()
    champion_before: int | None = None
    champion_after: int | None = None
    challenger: int | None = None
    contender: str | None = None
    verdict: Verdict | None = None
    objective: str = "macro-F1"
    figures: dict[str, float] = {}
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    profile: Profile | None = None
    flow_run_id: str | None = None
    note: str = ""
