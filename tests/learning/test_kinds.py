"""No kind is forgotten by the suites, nor goes without a name."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from learning.families.classifier_files import restored, stored
from learning.families.classifiers import classifier
from learning.searching.space import middle
from schemas.classifiers import TITLES, Classifier
from schemas.knobs import open_knobs, settle
from schemas.samplers import Imbalance
from tests.learning.kinds import CLASSIFIERS, FEATURE_CLASSIFIERS, SAMPLERS, members


@pytest.mark.parametrize(
    ("tried", "known"),
    [(SAMPLERS, members(Imbalance)), (CLASSIFIERS, FEATURE_CLASSIFIERS)],
    ids=["samplers", "classifiers"],
)
def test_the_suites_run_over_every_kind_that_a_plan_may_name(tried: Any, known: Any) -> None:
    assert {spec.kind for spec in tried.values()} == set(known)
    assert {type(spec) for spec in tried.values()} == set(known.values())


def test_every_classifier_has_a_title_of_its_own() -> None:
    assert set(TITLES) == set(members(Classifier))
    assert len(set(TITLES.values())) == len(TITLES)
    assert all(title.isalpha() for title in TITLES.values())


@pytest.mark.parametrize("kind", FEATURE_CLASSIFIERS)
def test_every_classifier_that_a_plan_may_name_can_be_stored(kind: str) -> None:
    open_spec = TypeAdapter[Any](Classifier).validate_python({"kind": kind})
    knobs = open_knobs(open_spec)
    spec = settle(open_spec, {path: middle(knob) for path, knob in knobs.items()})
    labels = np.arange(60) % 2
    matrix = np.random.default_rng(0).normal(size=(60, 3)) + labels[:, None]
    file = stored(classifier(spec, None, 0, 1).fit(matrix, labels))
    back = restored(file.format, file.body, file.seen)
    assert back.predict_proba(matrix).shape == (60, 2)
