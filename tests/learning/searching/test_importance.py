import numpy as np
import pytest

from learning.searching.importance import importances
from schemas.knobs import Setting
from schemas.trials import TrialRecord, TrialState


def _record(
    number: int,
    params: dict[str, Setting],
    score: float | None,
    state: TrialState = "COMPLETE",
    *,
    cut_off: bool = False,
) -> TrialRecord:
    return TrialRecord(number=number, state=state, params=params, score=score, cut_off=cut_off)


def _study(trials: int, seed: int = 0) -> list[TrialRecord]:
    """Scores hang on `C`, by its ratio, a little on `method`, and on nothing else."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(trials):
        params: dict[str, Setting] = {
            "C": float(np.exp(rng.uniform(-5, 5))),
            "method": ("none", "smote")[int(rng.integers(2))],
            "noise": float(rng.uniform(0, 1)),
            "depth": int(rng.integers(2, 9)),
            "flag": bool(rng.integers(2)),
            "ngrams": (None, 1, 2)[int(rng.integers(3))],
            "fixed": 3,
        }
        score = -abs(np.log(float(str(params["C"]))) - 2) + 0.2 * (params["method"] == "none")
        records.append(_record(number, params, score))
    return records


@pytest.mark.parametrize("trials", [40, 100, 300])
def test_what_moves_the_score_matters_most(trials: int) -> None:
    for seed in range(5):
        found = importances(_study(trials, seed))
        assert next(iter(found)) == "C"
        assert found["C"] > 0.4


def test_importances_are_shares_in_falling_order() -> None:
    found = importances(_study(60))
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(found) == {"C", "method", "noise", "depth", "flag", "ngrams"}


def test_the_order_of_trials_is_nothing() -> None:
    records = _study(60)
    assert importances(records[::-1]) == pytest.approx(importances(records))


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="none"),
        pytest.param(_study(19), id="too few"),
        pytest.param([_record(n, {"C": float(n)}, 0.5) for n in range(40)], id="all alike"),
        pytest.param(
            [_record(n, {"C": float(n)}, 0.5 + (n > 36)) for n in range(40)], id="three are better"
        ),
        pytest.param([_record(n, {"C": 1.0}, n / 40) for n in range(40)], id="no setting varies"),
        pytest.param([_record(n, {}, n / 40) for n in range(40)], id="no setting"),
        pytest.param(
            [_record(n, {"C": float(n)}, None, "FAIL") for n in range(40)], id="all failed"
        ),
        pytest.param(
            [_record(n, {"C": float(n)}, n / 40, cut_off=True) for n in range(40)], id="all cut off"
        ),
    ],
)
def test_nothing_is_said_where_nothing_is_known(records: list[TrialRecord]) -> None:
    assert importances(records) == {}


def test_trials_of_another_space_are_left_out() -> None:
    older = [_record(n, {"C": float(n), "gone": n}, n / 40) for n in range(40)]
    assert importances([*older, *_study(19)]) == {}
    assert importances([*older, *_study(40)]) == importances(_study(40))


def test_many_equal_scores_are_stood_without_a_warning() -> None:
    records = [_record(n, {"C": float(n), "k": n % 3}, float(n > 3)) for n in range(40)]
    assert set(importances(records)) == {"C", "k"}
