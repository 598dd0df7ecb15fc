"""One attempt at a night: what it learns on the way, so its record is whole however it ends."""

import importlib.metadata
import logging
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run

from schemas.faults import DataRejected, NightClaimed, NightshiftError, PlanError, kind_and_place
from schemas.ledger import BAD_PLAN, Outcome, Record, Version
from schemas.manifest import ManifestRef, Rows
from schemas.night import Judgement, Night
from schemas.objectives import objective_name
from schemas.plan import Plan
from schemas.results import Interval, Scorecard
from schemas.store import Store
from schemas.trials import MethodScore, RefitResult, StudyResult

_OUTCOMES: dict[str, Outcome] = {
    "PROMOTE": "promoted",
    "HOLD": "held",
    "INSUFFICIENT EVIDENCE": "insufficient-evidence",
}


class Attempt:
    """Gathers facts and stage times; `end` writes the one ledger record of this attempt."""

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        store: Store,
        write: Callable[[Store, Record], object],  # the ledger's, create-only
        now: Callable[[], datetime],
    ) -> None:
        self.plan = plan
        self.run_id = run_id
        self.store = store
        self.now = now
        self.started_at = now()
        self.code_version = code_version()
        self.stage_seconds: dict[str, float] = {}
        self._write = write
        self._facts: dict[str, Any] = {}
        self._notes: list[str] = []
        self._record: Record | None = None

    def tell(self, **facts: object) -> None:
        """Fields of the record that are known from here on."""
        self._facts |= facts

    def note(self, *told: str) -> None:
        """What the record and the page must not pass over, though the night went on; once each."""
        self._notes += [line for line in told if line not in self._notes]

    def look_again(self) -> None:
        """Forget what the source was like: another look begins, and only what it finds is used."""
        self._notes.clear()
        for fact in ("manifest", "changes", "profile", "dropped", "quarantined"):
            self._facts.pop(fact, None)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the seconds of a block under this stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = self.stage_seconds.get(name, 0.0) + time.monotonic() - started
            self.stage_seconds[name] = spent

    def end(self, outcome: Outcome, *reasons: str) -> Record:
        """Write the record of this attempt; whatever goes wrong later, the first one stands."""
        if self._record is not None:
            logging.getLogger(__name__).warning("after the record: %s", "; ".join(reasons))
            return self._record
        record = Record(
            plan=self.plan.name,
            outcome=outcome,
            run_id=self.run_id,
            started_at=self.started_at,
            ended_at=self.now(),
            reasons=(*reasons, *self._notes),
            plan_digest=self.plan.digest,
            code_version=self.code_version,
            objective=objective_name(self.plan.objective),
            flow_run_id=flow_run.id or None,
            **self._facts,
        )
        self._write(self.store, record)
        self._record = record
        return record

    def fail(self, fault: NightshiftError) -> Record:
        """The record of a night that a fault ended; the champion stays who it was."""
        match fault:
            case NightClaimed():
                return self.end("skipped", str(fault))
            case DataRejected():
                return self.end("rejected-data", str(fault))
            case _:
                return self.end("failed", str(fault))

    def crash(self, defect: BaseException) -> Record:
        """The record of a night that ended in no fault of a family we know, or was interrupted."""
        if isinstance(defect, KeyboardInterrupt):
            self.tell(note="interrupted")
            return self.end("failed", "Interrupted; the next start resumes it.")
        if isinstance(defect, TerminationSignal):
            self.tell(note="terminated")
            return self.end("failed", "Ended from outside by SIGTERM; the next start resumes it.")
        return self.end("failed", f"{kind_and_place(defect)}; --debug shows all of it")

    def night(
        self,
        rows: Rows,
        methods: tuple[MethodScore, ...],
        studies: tuple[StudyResult, ...],
        fits: dict[str, RefitResult],
        judgement: Judgement,
    ) -> Night:
        """What the night found, as pages, files and figures are rendered from it."""
        manifest: ManifestRef = self._facts["manifest"]
        return Night(
            plan=self.plan.name,
            run_id=self.run_id,
            started_at=self.started_at,
            manifest_digest=manifest.digest,
            objects=manifest.objects,
            changes=self._facts["changes"],
            rows=rows,
            targets=self.plan.targets,
            objective=objective_name(self.plan.objective),
            methods=methods,
            studies=studies,
            fits=fits,
            judgement=judgement,
            notes=tuple(self._notes),
            champion_before=self._facts["champion_before"],
            champion_after=self._facts["champion_after"],
            budget_minutes=self.plan.search.budget_minutes,
            stage_seconds=dict(self.stage_seconds),
        )

    def version(self, night: Night, mlflow_version: str, mlflow_run: str) -> Version:
        """The contender as the registry is asked to keep it; the registry gives the number."""
        contender = night.judgement.contender
        return Version(
            plan=self.plan.name,
            number=1,
            digest=night.fits[contender].digest,
            family=contender,
            run_id=self.run_id,
            created_at=self.now(),
            score=night.judgement.cards["challenger"].score,
            holdout_rows=night.judgement.rows,
            verdict=night.judgement.verdict.decision,
            mlflow_version=mlflow_version,
            mlflow_run_id=mlflow_run,
        )

    def conclude(self, night: Night) -> Record:
        """The record of a night that came to a verdict."""
        verdict, cards = night.judgement.verdict, night.judgement.cards
        figures: dict[str, float] = {}
        for role, card in cards.items():
            figures |= _figures(role, card)
        figures |= {
            "train_rows": float(night.rows.n_train),
            "holdout_rows": float(night.judgement.rows),
            "trials": float(sum(len(study.trials) for study in night.studies)),
            "seconds": sum(night.stage_seconds.values()),
        }
        self.tell(
            verdict=verdict,
            challenger=night.version,
            champion_after=night.champion_after,
            figures=figures,
            contender=night.judgement.contender,
        )
        return self.end(_OUTCOMES[verdict.decision], *verdict.reasons, *night.judgement.notes)


def _figures(role: str, card: Scorecard) -> dict[str, float]:
    """The scores of one model; of several targets, also each target's own."""

    def bounded(name: str, figure: Interval) -> dict[str, float]:
        name = f"{role}_{name}"
        return {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}

    figures = bounded("score", card.score) | bounded("macro_f1", card.macro_f1)
    if len(card.targets) > 1:
        figures |= {f"{role}_{t.name}_score": t.score.value for t in card.targets}
    return figures


def not_started(name: str, fault: NightshiftError, now: datetime) -> Record:
    """The record of a night that never began, for its plan or its store, under the file's name."""
    return Record(
        plan=re.sub(r"[^a-z0-9_-]", "-", Path(name).stem.lower()) or "plan",
        outcome="failed",
        run_id=uuid4().hex[:12],
        started_at=now,
        ended_at=now,
        reasons=(str(fault),),
        plan_digest="",
        code_version=code_version(),
        note=BAD_PLAN if isinstance(fault, PlanError) else "",
    )


def code_version() -> str:
    """The installed version, with the commit where the code stands in a git checkout."""
    version = importlib.metadata.version("nightshift")
    root = Path(__file__).resolve().parent.parent
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return version
    told = subprocess.run(  # noqa: S603 git itself, on our own folder
        [git, "-C", str(root), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{version}+{told.stdout.strip()}" if told.returncode == 0 else version
