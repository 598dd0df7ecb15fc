"""What was tried, as tables: imbalance methods on equal folds, and the best trials of all."""

from collections.abc import Iterable, Sequence

from learning.reports.markdown import capped, figure, setting_text, table
from schemas.night import Night
from schemas.trials import MethodScore, StudyResult, TrialRecord

LEADERS = 15


def leaderboard(studies: Iterable[StudyResult], objective: str) -> list[dict[str, str]]:
    """The best trials over all families, best first; after them those cut off, on fewer folds."""
    scored = [
        (study.family, trial, trial.score)
        for study in studies
        for trial in study.trials
        if trial.state == "COMPLETE" and trial.score is not None
    ]
    scored.sort(key=lambda entry: (entry[1].cut_off, -entry[2]))
    return [
        {
            "rank": str(rank),
            "family": family,
            "trial": str(trial.number),
            objective: f"{score:.4f}",
            "arg max": figure(trial.plain_score),
            "log loss": figure(trial.log_loss),
            "folds": " ".join(f"{fold:.4f}" for fold in trial.fold_scores),
            "seconds": f"{trial.seconds:.1f}",
            "settings": _settings(trial),
        }
        for rank, (family, trial, score) in enumerate(scored[:LEADERS], start=1)
    ]


def methods_table(night: Night) -> str:
    """How the imbalance methods compare, and where there are figures, whom they find."""
    rows = [
        {
            "imbalance method": method.method,
            night.objective: figure(method.score),
            "interval": "-" if method.low is None else f"{method.low:.4f} to {figure(method.high)}",
            "without offsets": figure(method.plain_score),
            "log loss": figure(method.log_loss),
            "searched": "yes" if method.kept else "no",
            "note": method.note or "-",
        }
        for method in night.methods
    ]
    recalls = _recalls([m for m in night.methods if m.recalls], night)
    told = capped(recalls, "see recalls in night.json")
    return f"{table(rows)}\n\nRecall by method:\n\n{told}" if recalls else table(rows)


def told_studies(studies: Iterable[StudyResult]) -> list[str]:
    """One sentence a family: how much was tried, and how far it still rose."""
    return [
        f"{study.family}: {len(study.trials)} trials in {study.seconds:.0f} s"
        + (f" ({study.resumed} kept from an earlier run)" if study.resumed else "")
        + (f"; {study.last_gain}" if study.last_gain else "")
        for study in studies
    ]


def _recalls(methods: Sequence[MethodScore], night: Night) -> list[tuple[float, dict[str, str]]]:
    """A row a class that counts, a column a method; the rarest rank first."""
    if not methods:
        return []
    several = len(night.targets) > 1
    return [
        (
            night.rows.train_counts[place][c],
            ({"target": target.name} if several else {})
            | {"class": target.class_texts[c]}
            | {method.method: figure(method.recalls[place][c]) for method in methods},
        )
        for place, target in enumerate(night.targets)
        for c in target.counted
    ]


def _settings(trial: TrialRecord) -> str:
    told = ((name.split(".")[-1], setting) for name, setting in trial.params.items())
    return ", ".join(f"{name}={setting_text(setting)}" for name, setting in told)
