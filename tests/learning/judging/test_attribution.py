"""Which settings of two models differ, and whether one group of them can be the cause."""

import pytest

from learning.judging.attribution import attribution, changed_groups, changes, group_of, made
from schemas.dataset import NumberColumn
from schemas.knobs import Setting
from schemas.night import BASELINE, Night
from tests.learning.records import MOOD, night

COLUMNS = {"x": NumberColumn()}


def _night(**settings: Setting) -> Night:
    told = night(MOOD)
    fit = told.fits[BASELINE]
    known = {**fit.settings, **{name.replace("__", "."): s for name, s in settings.items()}}
    return told.model_copy(update={"fits": {"one": fit.model_copy(update={"settings": known})}})


def _changes(first: Night, second: Night, columns=COLUMNS):
    one = made(first, COLUMNS, (MOOD,), "d")
    two = made(second, columns, (MOOD,), "d")
    assert one is not None
    assert two is not None
    return changes(one, two)


def test_the_same_settings_on_the_same_rows_differ_in_nothing() -> None:
    found = _changes(_night(), _night())
    assert (found, attribution(found)) == ((), "nothing differs")


def test_one_group_can_be_the_cause_however_many_settings_of_it_changed() -> None:
    found = _changes(_night(), _night(classifier__C=9.0, classifier__penalty="l1"))
    assert [(each.name, each.first, each.second) for each in found] == [
        ("classifier.C", "0.3333333333333333", "9"),
        ("classifier.penalty", "", "l1"),
    ]
    assert (changed_groups(found), attribution(found)) == (("classifier",), "attributable")


def test_more_than_one_changed_group_is_not_attributable() -> None:
    found = _changes(_night(), _night(imbalance__kind="smote", classifier__C=9.0))
    assert changed_groups(found) == ("imbalance", "classifier")
    assert attribution(found) == "not attributable"


def test_a_number_that_differs_behind_its_fourth_digit_is_told_to_the_last() -> None:
    (found,) = _changes(_night(classifier__C=0.123451), _night(classifier__C=0.123452))
    assert (found.first, found.second) == ("0.123451", "0.123452")


def test_other_rows_or_columns_are_data() -> None:
    told = _night()
    other = told.model_copy(update={"rows": told.rows.model_copy(update={"digest": "e"})})
    (found,) = _changes(told, other)
    assert (found.group, found.name) == ("data", "rows")
    (column,) = _changes(told, told, {**COLUMNS, "z": NumberColumn()})
    assert (column.group, column.name, column.second) == ("data", "column z", "number")


def test_the_objective_and_the_kind_of_calibration_are_one_group() -> None:
    told = _night()
    fit = told.fits["one"]
    plain = fit.calibrations[0].model_copy(update={"kind": "none"})
    fits = {"one": fit.model_copy(update={"calibrations": (plain,)})}
    found = _changes(told, told.model_copy(update={"objective": "PR-AUC", "fits": fits}))
    assert [each.name for each in found] == ["objective", "calibration of mood"]
    assert changed_groups(found) == ("calibration",)


def test_a_night_that_kept_another_model_tells_nothing_of_this_one() -> None:
    assert made(_night(), COLUMNS, (MOOD,), "another") is None


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("features.text.ngram_max", "features"),
        ("imbalance.kind", "imbalance"),
        ("classifier.kind", "classifier"),
        ("classifier.encoder.revision", "encoder"),
        ("classifier.max_tokens", "encoder"),
        ("classifier.head.pooling", "head"),
        ("classifier.tasks.mood.weight", "loss"),
        ("classifier.sampling.boosts.mood.sad", "sampling"),
        ("classifier.training.epochs", "training"),
    ],
)
def test_every_setting_has_its_group(path: str, group: str) -> None:
    assert group_of(path) == group
