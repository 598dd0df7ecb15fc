from learning.searching.warmth import best_points, keep_best_points
from schemas.trials import StudyResult, TrialRecord


def _study(family: str, *scores: float | None) -> StudyResult:
    trials = tuple(
        TrialRecord(number=i, state="COMPLETE" if s else "FAIL", params={"i": i}, score=s)
        for i, s in enumerate(scores)
    )
    return StudyResult(family=family, trials=trials, best=None)


def test_the_best_trials_are_handed_on_best_first(tmp_path):
    keep_best_points(tmp_path / "plan" / "best.json", [_study("a", 0.1, 0.9, None, 0.5)], most=2)
    assert best_points(tmp_path / "plan" / "best.json") == {"a": [{"i": 1}, {"i": 3}]}


def test_a_family_that_was_left_out_tonight_keeps_its_points(tmp_path):
    path = tmp_path / "best.json"
    keep_best_points(path, [_study("a", 0.1), _study("b", 0.2)], most=1)
    keep_best_points(path, [_study("b", 0.2, 0.3)], most=1)
    assert best_points(path) == {"a": [{"i": 0}], "b": [{"i": 1}]}


def test_a_damaged_or_missing_file_is_a_cold_start(tmp_path):
    assert best_points(tmp_path / "none.json") == {}
    (tmp_path / "torn.json").write_text('{"a": [')
    assert best_points(tmp_path / "torn.json") == {}


def test_a_study_without_a_score_keeps_the_points_of_the_night_before(tmp_path):
    path = tmp_path / "best.json"
    keep_best_points(path, [_study("a", 0.1, 0.9)], most=1)
    keep_best_points(path, [_study("a", None)], most=1)
    assert best_points(path) == {"a": [{"i": 1}]}


def test_a_trial_that_was_cut_off_comes_after_the_whole_ones(tmp_path):
    study = _study("a", 0.9, 0.5)
    short = study.trials[0].model_copy(update={"cut_off": True})
    study = study.model_copy(update={"trials": (short, study.trials[1])})
    keep_best_points(tmp_path / "best.json", [study], most=2)
    assert best_points(tmp_path / "best.json") == {"a": [{"i": 1}, {"i": 0}]}
