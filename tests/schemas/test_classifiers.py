"""A classifier's own space follows its kind of data, unless the plan says otherwise."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.classifiers import Classifier, LightGBM, XGBoost, suited
from schemas.knobs import Range, open_knobs, settle
from tests.learning.kinds import CLASSIFIERS

read = TypeAdapter[Any](Classifier).validate_python


@pytest.mark.parametrize("kind", sorted({spec.kind for spec in CLASSIFIERS.values()}))
def test_with_text_the_defaults_stay(kind: str) -> None:
    spec = read({"kind": kind})
    assert suited(spec, text=True) == spec


@pytest.mark.parametrize(("kind", "bins"), [("lightgbm", 255), ("xgboost", 256)])
def test_tables_get_fine_bins_and_most_columns_a_tree(kind: str, bins: int) -> None:
    spec = suited(read({"kind": kind}), text=False)
    assert spec.max_bin == bins
    assert spec.colsample_bytree == Range[float](low=0.4, high=1.0)


def test_what_the_plan_says_stays_said() -> None:
    spec = suited(read({"kind": "lightgbm", "max_bin": 15, "first": ()}), text=False)
    assert isinstance(spec, LightGBM)
    assert (spec.max_bin, spec.first) == (15, ())
    assert spec.colsample_bytree == Range[float](low=0.4, high=1.0)


@pytest.mark.parametrize("spec", [LightGBM(), XGBoost()], ids=["lightgbm", "xgboost"])
@pytest.mark.parametrize("text", [True, False])
def test_first_points_lie_in_the_space_and_settle_it(spec: Any, text: bool) -> None:
    chosen = suited(spec, text=text)
    knobs = open_knobs(chosen)
    for point in chosen.first:
        assert set(point) == set(knobs)
        assert open_knobs(settle(chosen, point)) == {}
        for name, knob in knobs.items():
            assert isinstance(knob, Range)
            assert knob.low <= point[name] <= knob.high


def test_suiting_twice_changes_nothing_more() -> None:
    once = suited(LightGBM(), text=False)
    assert suited(once, text=False) == once
