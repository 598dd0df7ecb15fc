"""Which recipes are compared: a base, and one factor away from it each time."""

from typing import Any

import pytest

from learning.variants.listing import BASE, LISTED, variants
from schemas.classifiers import LightGBM, LogisticRegression, NaiveBayesSVM
from schemas.dataset import Column, NumberColumn, TextColumn
from schemas.faults import PlanError
from schemas.features import Features, TextFeatures
from schemas.knobs import Range
from schemas.plan import Family
from schemas.samplers import ClassWeights, Imbalance, NoResampling, Smote
from schemas.trials import Candidate
from schemas.variants import Variant
from tests.learning.kinds import CLASSIFIERS

TEXT: dict[str, Column] = {"said": TextColumn()}
NUMBERS: dict[str, Column] = {"x": NumberColumn()}
LINEAR = Family(
    classifier=LogisticRegression(),
    features=Features(
        text=TextFeatures(weighting="tfidf", ngram_max=(1, 2), min_df=(2, 1, 5)),
    ),
)


def _leaves(raw: Any, path: str = "") -> dict[str, Any]:
    if isinstance(raw, dict):
        return {k: v for name in raw for k, v in _leaves(raw[name], f"{path}.{name}").items()}
    return {path.removeprefix("."): raw}


def _changed(variant: Variant, base: Candidate) -> set[str]:
    before, after = (_leaves(each.model_dump()) for each in (base, variant.candidate))
    return {name for name in before | after if before.get(name) != after.get(name)}


def _named(found: tuple[Variant, ...]) -> list[str]:
    return [variant.name for variant in found]


def test_the_base_is_at_rest_and_resamples_nothing() -> None:
    base = variants(LINEAR, (Smote(),), TEXT)[0]
    assert (base.name, base.factor, base.candidate.imbalance) == (BASE, "", NoResampling())
    assert base.candidate.classifier.model_dump()["C"] == 10.0  # the strong first point
    assert base.candidate.features.text.ngram_max == 1
    assert base.candidate.features.text.min_df == 2


@pytest.mark.parametrize(
    "family",
    [
        LINEAR,
        Family(classifier=LightGBM()),
        Family(classifier=NaiveBayesSVM()),
        *(Family(classifier=classifier) for classifier in CLASSIFIERS.values()),
    ],
    ids=lambda family: family.classifier.kind,
)
@pytest.mark.parametrize("columns", [TEXT, NUMBERS], ids=["text", "numbers"])
def test_every_variant_changes_one_factor_and_no_two_are_alike(
    family: Family, columns: dict[str, Column]
) -> None:
    base, *others = variants(family, (NoResampling(), Smote()), columns)
    assert len({variant.candidate.model_dump_json() for variant in (base, *others)}) == len(
        {variant.name for variant in (base, *others)}
    )
    for variant in others:
        changed = _changed(variant, base.candidate)
        if variant.factor == "imbalance":
            assert all(path.startswith("imbalance.") for path in changed)
        else:
            assert changed == {variant.factor}


def test_every_listed_method_is_tried_whatever_the_plan_lists() -> None:
    tried = [each.candidate.imbalance for each in variants(LINEAR, (Smote(),), TEXT, ["imbalance"])]
    assert set(tried) == set(LISTED)


def test_a_method_of_the_plan_is_tried_at_rest_beside_the_listed_one() -> None:
    weights: Imbalance = ClassWeights(exponent=Range(low=0.0, high=1.0))
    found = variants(LINEAR, (weights,), TEXT, ["imbalance"])
    assert "imbalance=class-weights (exponent=0.5)" in _named(found)
    assert "imbalance=class-weights" in _named(found)


def test_of_choices_each_is_tried_and_of_a_range_ends_and_middle() -> None:
    found = variants(LINEAR, (), TEXT, ["C", "features.text.min_df"])
    assert _named(found) == [
        "base",
        "classifier.C=0.1",
        "classifier.C=3.162",
        "classifier.C=100",
        "features.text.min_df=1",
        "features.text.min_df=5",
    ]


def test_settings_that_look_alike_are_told_apart() -> None:
    alike = Family(classifier=LogisticRegression(C=(0.12341, 0.12342, 5.0), first=()))
    found = variants(alike, (), NUMBERS, ["C"])
    assert _named(found) == ["base", "classifier.C=0.12342", "classifier.C=5"]
    closer = (0.1, 0.10000000000000002, 0.3)
    alike = Family(classifier=LogisticRegression(C=(2.0, *closer), first=()))
    assert len(set(_named(variants(alike, (), NUMBERS, ["C"])))) == 4


def test_knobs_of_columns_that_are_not_there_are_no_factors() -> None:
    factors = {variant.factor for variant in variants(LINEAR, (), NUMBERS)}
    assert factors == {"", "imbalance", "classifier.C"}


def test_variants_that_share_features_stand_together() -> None:
    found = [variant.candidate.features for variant in variants(LINEAR, (Smote(),), TEXT)]
    first_of_others = next(i for i, features in enumerate(found) if features != found[0])
    assert found[0] not in found[first_of_others:]


@pytest.mark.parametrize(
    ("asked", "factors"),
    [
        (["classifier"], {"classifier.C"}),
        (["features"], {"features.text.ngram_max", "features.text.min_df"}),
        (["text"], {"features.text.ngram_max", "features.text.min_df"}),
        (["min_df"], {"features.text.min_df"}),
        (["text.min_df", "C"], {"features.text.min_df", "classifier.C"}),
    ],
)
def test_a_factor_may_be_asked_for_by_a_part_of_its_path(
    asked: list[str], factors: set[str]
) -> None:
    assert {variant.factor for variant in variants(LINEAR, (), TEXT, asked)} == {"", *factors}


@pytest.mark.parametrize("asked", ["penalty", "min", "features.number", ""])
def test_what_is_no_open_knob_is_told_with_those_that_are(asked: str) -> None:
    with pytest.raises(PlanError, match=rf"expected one of imbalance, classifier\.C.*'{asked}'"):
        variants(LINEAR, (), TEXT, [asked])
