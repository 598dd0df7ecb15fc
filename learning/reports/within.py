"""The classes of each target within each class of the others, as a table and as a file."""

import csv
import io
from collections.abc import Iterator, Sequence

from learning.reports.markdown import capped, heading
from learning.reports.texts import figure
from schemas.night import Night
from schemas.results import WithinScore

_FEW = 10
"""Rows: of fewer a figure is mostly chance, so it is the first to be left out."""
_MEASURED = ("precision", "recall", "f1")


def within_tables(night: Night) -> Iterator[str]:
    """Those furthest from the class's F1 on all rows stay, where they are very many."""
    if not night.judgement.within:
        return
    overall = {
        (target.name, score.name): score.f1
        for target in night.judgement.cards["challenger"].targets
        for score in target.classes
    }
    rows = [
        (
            _rank(each, overall.get((each.target, each.name))),
            {
                "class": f"{each.target}: {each.name}",
                "within": f"{each.given}: {each.given_class}",
                "rows": str(each.support),
                "decided": str(each.predicted),
                "precision": figure(each.precision),
                "recall": figure(each.recall),
                "F1": figure(each.f1),
                "F1 on all rows": figure(overall.get((each.target, each.name))),
            },
        )
        for each in night.judgement.within
    ]
    yield heading("Each label within the classes of the others", level=3)
    yield capped(rows, "see challenger/classes_within.csv")


def within_csv(scores: Sequence[WithinScore]) -> str:
    """A figure that is not defined is an empty cell."""
    told = io.StringIO()
    write = csv.writer(told, lineterminator="\n")
    counts = ("support", "predicted", "hits")
    write.writerow(["target", "class", "given_target", "given_class", *counts, *_MEASURED])
    for each in scores:
        figures = [getattr(each, name) for name in _MEASURED]
        write.writerow(
            [
                *(each.target, each.name, each.given, each.given_class),
                *(getattr(each, name) for name in counts),
                *("" if value is None else f"{value:.6f}" for value in figures),
            ]
        )
    return told.getvalue()


def _rank(each: WithinScore, overall: float | None) -> float:
    if each.support < _FEW or each.f1 is None or overall is None:
        return 0.0
    return -abs(each.f1 - overall)
