"""What is kept of one family's search, so that it can be read without us."""

import csv
import io
import json

from learning.pictures.histories import history_picture, importance_picture
from learning.searching.importance import importances
from schemas.trials import StudyResult, TrialRecord

_TRIAL = ("number", "state", "score", "plain_score", "log_loss", "seconds", "cut_off", "note")


def study_files(study: StudyResult, objective: str) -> dict[str, bytes]:
    """All trials as CSV and JSON, the best settings, which settings mattered, and pictures.

    No importance without enough finished trials of different settings to tell it from.
    """
    files = {
        "trials.csv": _trials_csv(study.trials).encode(),
        "trials.json": study.model_dump_json(indent=2).encode(),
        "optimization_history.png": history_picture(study, objective),
    }
    if study.best is not None:
        files["best_params.json"] = _json(study.best.params)
    mattered = importances(study.trials)
    if mattered:
        files["parameter_importance.json"] = _json(mattered)
        files["parameter_importance.png"] = importance_picture(mattered, study.family)
    return files


def _trials_csv(trials: tuple[TrialRecord, ...]) -> str:
    """A line a trial, a column a setting; what a trial does not have is empty."""
    settings = sorted({name for trial in trials for name in trial.params})
    told = io.StringIO()
    write = csv.writer(told, lineterminator="\n")
    write.writerow([*_TRIAL, "fold_scores", *settings])
    for trial in trials:
        folds = " ".join(map(str, trial.fold_scores))
        cells = [getattr(trial, name) for name in _TRIAL]
        write.writerow([*cells, folds, *(trial.params.get(name) for name in settings)])
    return told.getvalue()


def _json(told: object) -> bytes:
    return json.dumps(told, indent=2).encode()
