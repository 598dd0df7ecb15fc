import csv
import json

from learning.reports.studies import study_files
from schemas.trials import StudyResult, TrialRecord
from tests.learning.records import trial

PNG = b"\x89PNG"


def _study(*trials: TrialRecord) -> StudyResult:
    best = max((t for t in trials if t.score), key=lambda t: t.score or 0, default=None)
    return StudyResult(family="lightgbm", trials=trials, best=best, seconds=3.0)


def test_all_trials_are_there_with_all_their_settings():
    other = trial(2, 0.4).model_copy(update={"params": {"features.text.words": True, "a,b": "x"}})
    files = study_files(_study(trial(0, 0.7, seconds=1.5), trial(1, None), other), "macro-F1")
    rows = list(csv.DictReader(files["trials.csv"].decode().splitlines()))
    assert [(row["number"], row["state"], row["score"]) for row in rows] == [
        ("0", "COMPLETE", "0.7"),
        ("1", "FAIL", ""),
        ("2", "COMPLETE", "0.4"),
    ]
    assert rows[0]["classifier.C"] == "0.123456"
    assert rows[0]["seconds"] == "1.5"
    assert rows[2]["a,b"] == "x"
    assert rows[2]["classifier.C"] == ""
    kept = StudyResult.model_validate_json(files["trials.json"])
    assert [t.params for t in kept.trials] == [t.params for t in (trial(0, 1), trial(1, 1), other)]


def test_the_best_settings_and_the_pictures_stand_beside():
    files = study_files(_study(*(trial(n, 0.5 + n / 100) for n in range(40))), "macro-F1")
    assert json.loads(files["best_params.json"]) == trial(39, 1).params
    assert files["optimization_history.png"].startswith(PNG)
    assert set(json.loads(files["parameter_importance.json"])) == {"classifier.C"}
    assert files["parameter_importance.png"].startswith(PNG)


def test_a_study_without_a_finished_trial_is_told_too():
    files = study_files(_study(trial(0, None)), "PR-AUC")
    assert "best_params.json" not in files
    assert "parameter_importance.png" not in files
    assert files["optimization_history.png"].startswith(PNG)
