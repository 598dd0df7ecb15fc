"""The search as a table of its best trials, and a sentence a family."""

from collections.abc import Iterable

from learning.reading.wording import amount
from learning.reports.texts import figure, setting_text
from schemas.trials import StudyResult, TrialRecord

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
            objective: figure(score),
            "arg max": figure(trial.plain_score),
            "log loss": figure(trial.log_loss),
            "folds": " ".join(map(figure, trial.fold_scores)),
            "seconds": f"{trial.seconds:.1f}",
            "settings": _settings(trial),
        }
        for rank, (family, trial, score) in enumerate(scored[:LEADERS], start=1)
    ]


def told_studies(studies: Iterable[StudyResult]) -> list[str]:
    """One sentence a family: how much was tried, and how far it still rose."""
    return [
        f"{study.family}: {amount(len(study.trials), 'trial')} in {study.seconds:.0f} s"
        + (f" ({study.resumed} kept from an earlier run)" if study.resumed else "")
        + (f"; {study.last_gain}" if study.last_gain else "")
        for study in studies
    ]


def _settings(trial: TrialRecord) -> str:
    told = ((name.split(".")[-1], setting) for name, setting in trial.params.items())
    return ", ".join(f"{name}={setting_text(setting)}" for name, setting in told)
