"""What people are told of a network that reads text: its encoder, its epochs, what is wrong."""

import csv
import io
from collections.abc import Iterator

from learning.reports.texts import figure
from learning.searching.ranking import margin
from schemas.label import Target
from schemas.trials import FitEpoch, MethodScore, RefitResult, StudyResult

ENCODER, REVISION = "classifier.encoder.model", "classifier.encoder.revision"


def reader_defect(study: StudyResult, floor: MethodScore) -> str:
    """Why the study's best is no candidate to be proud of; empty where it is one."""
    best = study.best
    if best is None or best.score is None:
        return (
            f"{study.family}: no fold ended in time, so it has no score. Give the night more time "
            "(search.budget_minutes), or fewer training.epochs and max_tokens"
        )
    behind = margin(best, floor)
    if behind >= 0:
        return ""
    return (
        f"{study.family} trial {best.number} is defective: out of fold it scores {-behind:.4f} "
        f"less than the linear baseline ({figure(best.score)} to {figure(floor.score)}). Look at "
        "training.learning_rate, training.epochs, max_tokens and the texts' language"
    )


def reader_lines(fit: RefitResult, targets: tuple[Target, ...]) -> Iterator[str]:
    """The encoder and how its fit went; nothing of other models."""
    if ENCODER not in fit.settings:
        return
    revision = fit.settings.get(REVISION)
    at = f" at revision {revision}" if revision else ", a folder"
    yield f"encoder: {fit.settings[ENCODER]}{at}"
    if fit.history:
        yield _trained(fit.history, targets)


def history_csv(history: tuple[FitEpoch, ...], targets: tuple[Target, ...]) -> str:
    """A row an epoch; what was not measured is an empty cell."""
    told = io.StringIO()
    write = csv.writer(told, lineterminator="\n")
    classes = [f"{t.name}_f1_{text}" for t in targets for text in t.class_texts]
    macros = [f"{target.name}_macro_f1" for target in targets]
    plain = ("member", "epoch", "train_loss", "held_loss", "learning_rate", "seconds")
    write.writerow([*plain, *macros, *classes])
    for each in history:
        figures = each.macro_f1 or (None,) * len(macros)
        by_class = [f1 for target in each.class_f1 for f1 in target] or [None] * len(classes)
        cells = [getattr(each, name) for name in plain]
        write.writerow([_cell(cell) for cell in (*cells, *figures, *by_class)])
    return told.getvalue()


def _trained(history: tuple[FitEpoch, ...], targets: tuple[Target, ...]) -> str:
    members = {each.member for each in history}
    last = history[-1]
    seconds = sum(each.seconds for each in history)
    several = f" of {len(members)} members" if len(members) > 1 else ""
    told = (
        f"{len(history)} epochs{several} in {seconds:.0f} s, training loss "
        f"{history[0].train_loss:.4f} in the first and {last.train_loss:.4f} in the last"
    )
    best = max((each for each in history if each.macro_f1), key=_mean, default=None)
    if best is None:
        return told
    figures = zip(targets, best.macro_f1, strict=True)
    each = ", ".join(f"{target.name} {f1:.4f}" for target, f1 in figures)
    return f"{told}; macro-F1 on the rows held back, in epoch {best.epoch}: {each}"


def _mean(epoch: FitEpoch) -> float:
    return sum(epoch.macro_f1) / len(epoch.macro_f1)


def _cell(cell: float | int | None) -> str:
    if cell is None:
        return ""
    return str(cell) if isinstance(cell, int) else f"{cell:.6g}"
