"""What rows look like in a few numbers, and whether new ones are far from the accepted ones.

A share moved where it is further from the accepted one than the plan's limit, and further than
rows drawn by chance would bring it: `NOISE` standard errors of the two samples.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt

from learning.reading.wording import quoted
from schemas.dataset import Drift
from schemas.faults import DataRejected
from schemas.findings import Finding
from schemas.label import Target
from schemas.manifest import Shard
from schemas.profile import Move, Profile

Facts = dict[str, str]
"""Of a `Move`, without the objects that brought it."""

NOISE = 4.0
"""Beyond as many standard errors a share lies by chance once in 16,000 times: of nights that
compare a thousand shares, one in sixteen is wrong about one of them."""

_TEXTS = (".csv", ".csv.gz")
_KINDS = {
    "text": r"(large_)?(string|utf8)(_view)?|dictionary<values=(large_)?(string|utf8).*",
    "number": r"u?int\d+|float|double|halffloat|half_float|decimal\d*\(.*|dictionary<values=.*",
    "truth": r"bool",
    "time": r"timestamp.*|date\d+.*|time\d+.*",
    "list": r"(large_|fixed_size_)?list(_view)?<.*",
    "bytes": r"(large_|fixed_size_)?binary.*",
}
"""By Arrow's names of types; widths and units are no news."""


def profile_of(shards: Iterable[Shard], targets: Sequence[Target]) -> Profile:
    """The valid rows of these objects together."""
    rows, missing = 0, Counter[str]()
    counts = {target.name: Counter(dict.fromkeys(target.class_texts, 0)) for target in targets}
    kinds: dict[str, set[str]] = {}
    for shard in shards:
        rows += shard.rows
        missing.update(shard.missing)
        for target, counted in zip(targets, shard.class_counts, strict=False):
            counts[target.name].update(dict(zip(target.class_texts, counted, strict=True)))
        for column, kind in _kinds(shard).items():
            kinds.setdefault(column, set()).add(kind)
    return Profile(
        rows=rows,
        class_counts={target: dict(counted) for target, counted in counts.items()},
        missing=dict(missing),
        kinds={column: tuple(sorted(found)) for column, found in kinds.items()},
    )


def empty_columns(profile: Profile) -> tuple[str, ...]:
    """A note on features that no row has a value of: nothing can be learned from them."""
    empty = [column for column, missing in profile.missing.items() if missing == profile.rows]
    if not empty or not profile.rows:
        return ()
    return (
        f"no value in any of {profile.rows:,} rows: {quoted(empty)}. Correct the export, or move "
        "what is no longer delivered to dataset.ignore.",
    )


def moves(
    arrived: Profile, accepted: Profile, drift: Drift, names: Sequence[str]
) -> tuple[Move, ...]:
    """What of the rows that arrived, in the objects `names`, is far from the accepted ones.

    Classes are compared where both know the same ones, and columns that both have. Nothing is said
    of few rows.
    """
    if min(arrived.rows, accepted.rows) < drift.min_rows:
        return ()
    where = names[0] if len(names) == 1 else f"{len(names):,} new or changed objects"
    return tuple(
        Move(where=where, **move)
        for move in (
            *_class_moves(arrived, accepted, drift.class_share),
            *_missing_moves(arrived, accepted, drift.missing_share),
            *_kind_moves(arrived.kinds, accepted.kinds),
        )
    )


def refuse_moves(moves: Sequence[Move]) -> None:
    """For a plan that wants no such rows; all moves are told."""
    if not moves:
        return
    told = "; ".join(
        f"expected {move.figure} near {move.accepted}, got {move.arrived}" for move in moves
    )
    raise DataRejected(
        f"Drift in {moves[0].where} against the last accepted night: {told}. {_todo(moves)}",
        drift_findings(moves),
    )


def drift_findings(moves: Iterable[Move]) -> tuple[Finding, ...]:
    """Moves as the validation report lists them, under the objects that brought them."""
    return tuple(
        Finding(
            object_name=move.where,
            column=move.column,
            expected=f"{move.figure} near {move.accepted}",
            got=move.arrived,
            todo=_todo([move]),
        )
        for move in moves
    )


def _todo(moves: Sequence[Move]) -> str:
    limits = dict.fromkeys(move.limit for move in moves if move.limit)
    widen = f", or raise {' and '.join(limits)}" if limits else ""
    return (
        "Correct the export; where the data is right, set dataset.drift.action: warn for this "
        f"night{widen}."
    )


def _kinds(shard: Shard) -> dict[str, str]:
    """Of a text file nothing: all its cells are text, which the plan gives a meaning."""
    if shard.object_name.endswith(_TEXTS):
        return {}
    named = {column: _kind(stored) for column, stored in shard.stored.items()}
    return {column: kind for column, kind in named.items() if kind != "null"}


def _kind(stored: str) -> str:
    """A kind that messages can name; a type that has none is its own.

    >>> _kind("int64"), _kind("timestamp[us, tz=UTC]"), _kind("struct<a: int64>")
    ('number', 'time', 'struct<a: int64>')
    """
    return next((kind for kind, form in _KINDS.items() if re.fullmatch(form, stored)), stored)


def _class_moves(arrived: Profile, accepted: Profile, limit: float) -> Iterator[Facts]:
    for target, counts in accepted.class_counts.items():
        now = arrived.class_counts.get(target, {})
        if now.keys() != counts.keys():
            continue
        names = list(counts)
        for name in names[1:] if len(names) == 2 else names:  # of two, one tells of the other
            yield from _share_moves(
                target,
                f"the share of class {name!r} of {target!r}",
                (now[name], sum(now.values())),
                (counts[name], sum(counts.values())),
                (limit, "class_share"),
            )


def _missing_moves(arrived: Profile, accepted: Profile, limit: float) -> Iterator[Facts]:
    for column, missing in accepted.missing.items():
        if column in arrived.missing:
            yield from _share_moves(
                column,
                f"the share of missing cells of {column!r}",
                (arrived.missing[column], arrived.rows),
                (missing, accepted.rows),
                (limit, "missing_share"),
            )


def _share_moves(
    column: str,
    figure: str,
    arrived: tuple[int, int],  # of how many
    accepted: tuple[int, int],
    limit: tuple[float, str],
) -> Iterator[Facts]:
    (now, rows), (before, rows_before) = arrived, accepted
    if not rows or not rows_before:
        return
    pooled = (now + before) / (rows + rows_before)
    error = sqrt(pooled * (1 - pooled) * (1 / rows + 1 / rows_before))
    if abs(now / rows - before / rows_before) > max(limit[0], NOISE * error):
        yield Facts(
            column=column,
            figure=figure,
            accepted=f"{before / rows_before:.1%} of {rows_before:,} rows",
            arrived=f"{now / rows:.1%} of {rows:,} rows",
            limit=f"dataset.drift.{limit[1]} ({limit[0]:g})",
        )


def _kind_moves(
    arrived: Mapping[str, Sequence[str]], accepted: Mapping[str, Sequence[str]]
) -> Iterator[Facts]:
    for column, before in accepted.items():
        new = [kind for kind in arrived.get(column, ()) if kind not in before]
        if new:
            yield Facts(
                column=column,
                figure=f"the stored type of {column!r}",
                accepted=" or ".join(before),
                arrived=" and ".join(new),
            )
