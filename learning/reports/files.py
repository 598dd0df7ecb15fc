"""What is kept beside a judged model: tables, reports and pictures, by the path they get."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from learning.answers import Answers
from learning.arrays import LabelTable, Probabilities
from learning.pictures.curves import precision_recall_picture, reliability_picture, roc_picture
from learning.pictures.epochs import epochs_picture
from learning.pictures.histories import study_picture
from learning.pictures.plots import class_change_picture, confusion_picture
from learning.reports.classification import classification_report, label_report
from learning.reports.figures import metrics
from learning.reports.names import folder_names
from learning.reports.page import page
from learning.reports.readers import history_csv
from learning.reports.recipes import contender_fit
from learning.reports.red_flags import red_flags
from learning.reports.scores import are_marks
from learning.reports.within import within_csv
from schemas.label import Target
from schemas.night import Night
from schemas.results import ClassScore, RedFlag, Scorecard, TargetScore
from schemas.trials import StudyResult

MOST_PICTURED = 12
"""Targets of a night that get pictures of their own; of a hundred labels nobody looks at them."""

_NUMBERS = re.compile(r"\[\n\s*(-?\d[^\[\]{}\"]*)\]")
_MEASURED = ("precision", "recall", "f1", "average_precision", "roc_auc")


def ending_files(night: Night) -> dict[str, bytes]:
    """What can be told only when it is known who is champion: the page and the whole record."""
    return {
        "night.json": _record(night).encode(),
        "report.md": page(night).encode(),
    }


def _record(night: Night) -> str:
    """Indented, but a list of numbers on one line: of 1,000 classes a confusion has a million."""
    told = night.model_dump_json(indent=2)
    # A string holds no bare line break, so nothing in one is taken for a list.
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", told)


def judgement_files(night: Night) -> dict[str, bytes]:
    """What is known once the models were judged: figures, tables and pictures."""
    by_time = {study.family: _by_time(study) for study in night.studies}
    files = {
        "metrics.json": json.dumps(metrics(night), indent=2).encode(),
        "red_flags.json": _listed(red_flags(night)),
        "trials.png": study_picture(by_time, night.objective),
    }
    if history := contender_fit(night).history:
        files["training_history.csv"] = history_csv(history, night.targets).encode()
        files["training_history.png"] = epochs_picture(history, night.targets)
    if night.judgement.within:
        files["challenger/classes_within.csv"] = within_csv(night.judgement.within).encode()
    verdict = night.judgement.verdict
    if verdict.class_changes:
        picture = class_change_picture(verdict.class_changes, verdict.reference)
        files["class_changes.png"] = picture
    for role, card in night.judgement.cards.items():
        title = f"{night.plan}: {role}"
        files |= {f"{role}/{name}": body for name, body in _card_files(card, title)}
    return files


def _listed(flags: Sequence[RedFlag]) -> bytes:
    return json.dumps([flag.model_dump() for flag in flags], indent=2).encode()


def answer_pictures(
    labels: LabelTable,
    answers: Answers,
    targets: Sequence[Target],
    title: str,
    before: Sequence[Probabilities] | None = None,  # of the same rows, before calibration
) -> dict[str, bytes]:
    """Of one model's probabilities: both curves of each class, and how far to believe them.

    Of several targets each has a folder; those after `MOST_PICTURED` have none.
    """
    pictures: dict[str, bytes] = {}
    for place, (folder, target) in enumerate(_folders(targets)):
        truth, probabilities = labels[:, place], answers.probabilities[place]
        decided = answers.decisions[:, place]
        named = title if len(targets) == 1 else f"{title}, {target.name}"
        pictures |= {
            f"{folder}precision_recall.png": precision_recall_picture(
                truth, probabilities, target, decided, title=named
            ),
            f"{folder}roc.png": roc_picture(truth, probabilities, target, decided, title=named),
            f"{folder}reliability.png": reliability_picture(
                truth, probabilities, None if before is None else before[place], title=named
            ),
        }
    return pictures


def _card_files(card: Scorecard, title: str) -> Iterator[tuple[str, bytes]]:
    yield "classes.csv", _class_csv(card).encode()
    if are_marks(card.targets):
        yield "classification_report.txt", label_report(card.targets).encode()
    for folder, target in _folders(card.targets):
        named = title if len(card.targets) == 1 else f"{title}, {target.name}"
        yield f"{folder}confusion_matrix.png", confusion_picture(target, named)
        if not are_marks(card.targets):
            report = classification_report(target)
            yield f"{folder}classification_report.txt", report.encode()


Named = TypeVar("Named", Target, TargetScore)


def _folders(targets: Sequence[Named]) -> Iterator[tuple[str, Named]]:
    """Each target that is pictured, with where: a folder of its own among several."""
    if len(targets) == 1:
        return iter([("", targets[0])])
    names = folder_names(target.name for target in targets)
    return (
        (f"{name}/", each) for name, each in list(zip(names, targets, strict=True))[:MOST_PICTURED]
    )


def _class_csv(card: Scorecard) -> str:
    """Every class of every target; a figure that is not defined is an empty cell."""
    told = io.StringIO()
    write = csv.writer(told, lineterminator="\n")
    write.writerow(["target", "class", "support", "predicted", "hits", *_MEASURED])
    for target in card.targets:
        for score in target.classes:
            write.writerow([target.name, score.name, *_cells(score)])
    return told.getvalue()


def _cells(score: ClassScore) -> list[str]:
    figures = [getattr(score, name) for name in _MEASURED]
    counts = [str(score.support), str(score.predicted), str(score.hits)]
    return counts + ["" if figure is None else f"{figure:.6f}" for figure in figures]


def _by_time(study: StudyResult) -> list[tuple[float, float]]:
    """Each score at the seconds of fitting and predicting that its family had spent by then."""
    spent, found = 0.0, []
    for trial in study.trials:
        spent += trial.seconds
        if trial.score is not None:
            found.append((spent, trial.score))
    return found
