"""From the objects of a night to its rows: read, compared with accepted ones, split."""

from dataclasses import dataclass
from datetime import datetime

from learning.rows.profiles import drift_findings, empty_columns, profile_of
from schemas.faults import DataRejected, ObjectMissing, SourceChanged
from schemas.manifest import Manifest, Rows, Shard
from schemas.profile import Move, Profile
from schemas.validation import Validation
from tasks.attempt import Attempt
from tasks.home import Home
from tasks.ingestion import assemble_rows, ingest_objects
from tasks.storage import open_store
from tasks.validating import tell_all, validate_rows


@dataclass(frozen=True)
class Due:
    """The objects of a night, the names of those that are new or changed, and the rows of the last
    finished night, if they are known.
    """

    manifest: Manifest
    arrived: frozenset[str]
    accepted: Profile | None


@dataclass(frozen=True)
class Read:
    """The night's rows; how they moved, and where it stands what is wrong with some, if any is."""

    rows: Rows
    shards: tuple[Shard, ...]
    moves: tuple[Move, ...]
    findings: str


def read_rows(attempt: Attempt, home: Home, due: Due, not_before: datetime | None) -> Read:
    """The rows of all objects; what is wrong with some of them, and how they moved, is told.

    Raises
    ------
    SourceChanged
        An object is no longer the one that was listed.
    """
    plan, aside = attempt.plan, home.quarantine / attempt.plan.name
    with attempt.stage("ingest"):
        shards = _shards(attempt, home, due)
        profile = profile_of(shards, plan.targets)
        attempt.tell(profile=profile)
        findings = tuple(finding for shard in shards for finding in shard.findings)
        try:
            moves = validate_rows(shards, due.arrived, due.accepted, plan, attempt.now())
            rows = assemble_rows(shards, plan, home.work / plan.name, not_before)
        except DataRejected as fault:  # its owner is told at once of all that is wrong
            raise DataRejected(str(fault), (*fault.findings, *findings)) from fault
        told = Validation(
            plan=plan.name,
            run_id=attempt.run_id,
            objects=len(shards),
            rows=profile.rows,
            findings=(*findings, *drift_findings(moves)),
        )
        file = " ".join(tell_all(told, aside))
    attempt.tell(dropped=rows.dropped, quarantined=rows.quarantined)
    attempt.note(*rows.notes, *empty_columns(profile), *(move.note for move in moves))
    return Read(rows, shards, moves, file)


def _shards(attempt: Attempt, home: Home, due: Due) -> tuple[Shard, ...]:
    plan = attempt.plan
    source = open_store(plan.dataset.source, home.memory)
    cache, aside = home.cache / plan.name, home.quarantine / plan.name
    try:
        return ingest_objects(source, due.manifest, plan, cache, aside)
    except ObjectMissing as fault:
        raise SourceChanged(f"Changed while it was read: {fault}") from fault
