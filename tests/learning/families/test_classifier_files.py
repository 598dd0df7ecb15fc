"""Stored classifiers are data, and foreign or forged bytes build nothing."""

import gzip
import io
import json
import pickle
import re
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from learning.families.classifier_files import (
    StoredClassifier,
    dumped,
    libraries,
    loaded,
    restored,
    stored,
    suffix,
)
from learning.families.classifiers import classifier
from tests.learning.kinds import CLASSIFIERS

FORMATS = ("skops", "lightgbm", "xgboost", "forest")


def _rows(classes: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % classes
    return rng.normal(size=(60, 4)) + np.eye(classes, 4)[labels], labels


def _stored(name: str, classes: int = 3) -> StoredClassifier:
    return stored(classifier(CLASSIFIERS[name], None, 0, 1).fit(*_rows(classes)))


KINDS = {
    "skops": "logistic-regression",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "forest": "random-forest",
}


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_has_a_plain_suffix(format: str) -> None:
    assert suffix(format).isalpha()
    assert _stored(KINDS[format]).format == format


def test_a_format_that_nobody_knows_is_told() -> None:
    with pytest.raises(ValueError, match=r"expected one of the formats skops, .* got 'pickle'"):
        restored("pickle", b"", (0, 1))
    with pytest.raises(ValueError, match="got 'joblib'"):
        suffix("joblib")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00" * 100, b"{", pickle.dumps(json.loads), np.random.default_rng(0).bytes(5000)],
    ids=["empty", "zeros", "brace", "pickle", "noise"],
)
def test_bytes_of_nothing_are_refused(format: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"can't be read|got something else"):
        restored(format, body, (0, 1))


@pytest.mark.parametrize("format", FORMATS)
def test_half_a_body_is_refused(format: str) -> None:
    file = _stored(KINDS[format])
    with pytest.raises(ValueError, match=r"can't be read|got something else|expected"):
        restored(format, file.body[: len(file.body) // 2], file.seen)


@pytest.mark.parametrize(("format", "other"), [*permutations(FORMATS, 2)])
def test_a_body_of_another_format_is_refused(format: str, other: str) -> None:
    file = _stored(KINDS[other])
    with pytest.raises(ValueError, match=r"can't be read|got something else|got others"):
        restored(format, file.body, file.seen)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("seen", [(0, 1), (0, 1, 2, 3)], ids=["fewer", "more"])
def test_classes_that_the_body_does_not_have_are_refused(name: str, seen: tuple[int, ...]) -> None:
    file = _stored(name)
    with pytest.raises(ValueError, match="classes"):
        restored(file.format, file.body, seen)


def test_a_type_that_nobody_reviewed_is_not_built() -> None:
    body = dumped(FunctionTransformer(func=json.loads))
    with pytest.raises(ValueError, match="holds types that we do not load: json"):
        loaded(body)
    with pytest.raises(ValueError, match="holds types that we do not load: json"):
        restored("skops", body, (0, 1))


def test_a_tree_within_skops_is_not_built() -> None:
    body = skops.io.dumps(DecisionTreeClassifier().fit(*_rows()))
    with pytest.raises(ValueError, match=r"do not load: sklearn\.tree\._tree\.Tree"):
        loaded(body)


def test_what_is_no_classifier_of_ours_is_refused() -> None:
    matrix, labels = _rows()
    with pytest.raises(ValueError, match="expected a classifier of ours, got StandardScaler"):
        restored("skops", dumped(StandardScaler().fit(matrix)), (0, 1, 2))
    with pytest.raises(TypeError, match="expected a classifier of ours, got GaussianNB"):
        stored(GaussianNB().fit(matrix, labels))


def test_the_answer_to_one_class_alone_is_kept() -> None:
    matrix, _ = _rows()
    file = stored(DummyClassifier(strategy="prior").fit(matrix, np.full(60, 2)))
    back = restored(file.format, file.body, file.seen)
    assert file.seen == (2,)
    assert back.predict_proba(matrix).tolist() == [[1.0]] * 60


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_restored_classifier_decides_as_its_probabilities_say(name: str) -> None:
    matrix, _ = _rows()
    file = _stored(name)
    back = restored(file.format, file.body, file.seen)
    assert back.predict(matrix).tolist() == back.predict_proba(matrix).argmax(axis=1).tolist()


@pytest.mark.parametrize("name", ["random-forest", "balanced-random-forest"])
def test_a_forest_keeps_nothing_of_its_rows(name: str) -> None:
    arrays = _arrays(_stored(name).body)
    assert set(arrays) == {
        "columns", "nodes", "left", "right", "feature", "threshold", "shares"
    }  # fmt: skip
    assert len(arrays["nodes"]) == 60


def test_a_forest_refuses_rows_of_another_width() -> None:
    file = _stored("random-forest")
    with pytest.raises(ValueError, match="expected 4 feature columns, got 3"):
        restored(file.format, file.body, file.seen).predict_proba(np.zeros((2, 3)))


def _arrays(body: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(body)) as file:
        return dict(file)


def _put(name: str, place: int, to: int) -> Callable[[dict[str, Any]], None]:
    def forge(arrays: dict[str, Any]) -> None:
        arrays[name][place] = to

    return forge


def _renamed(arrays: dict[str, Any]) -> None:
    arrays["code"] = arrays.pop("shares")


def _shortened(arrays: dict[str, Any]) -> None:
    arrays["nodes"] = arrays["nodes"][:-1]


def _grown(arrays: dict[str, Any]) -> None:
    arrays["nodes"][:2] += [1, -1]


def _typed(arrays: dict[str, Any]) -> None:
    arrays["left"] = arrays["left"].astype(np.int64)


def _narrowed(arrays: dict[str, Any]) -> None:
    arrays["columns"] = np.asarray(0)


FORGERIES = {
    "child far outside": _put("left", 0, 10**6),
    "child before the start": _put("right", 0, -5),
    "a circle": _put("left", 0, 0),
    "one child": _put("left", 0, -1),
    "feature outside": _put("feature", 0, 4),
    "feature below": _put("feature", 0, -2),
    "arrays of other names": _renamed,
    "a tree too few": _shortened,
    "no tree of one node": _put("nodes", 0, 0),
    "another tree's nodes": _grown,
    "another type": _typed,
    "no columns": _narrowed,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_forest_is_refused(forge: Callable[[dict[str, Any]], None]) -> None:
    file = _stored("random-forest")
    arrays = _arrays(file.body)
    forge(arrays)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    with pytest.raises(ValueError, match="expected"):
        restored("forest", stream.getvalue(), file.seen)


LIGHTGBM_FORGERIES = {
    "child far outside": (r"(?m)^left_child=\S+", "left_child=999999"),
    "leaf far outside": (r"(?m)^right_child=\S+", "right_child=-999999"),
    "a circle": (r"(?m)^left_child=\S+", "left_child=0"),
    "feature outside": (r"(?m)^split_feature=\S+", "split_feature=4"),
    "a leaf too few": (r"(?m)^leaf_value=\S+ ", "leaf_value="),
    "more leaves than stand there": (r"(?m)^num_leaves=\S+", "num_leaves=99"),
    "no number": (r"(?m)^threshold=\S+", "threshold=secret"),
    "levels": (r"(?m)^num_cat=0", "num_cat=1"),
    "other classes in a round": (r"num_tree_per_iteration=3", "num_tree_per_iteration=1"),
}


@pytest.mark.parametrize("forgery", LIGHTGBM_FORGERIES.values(), ids=LIGHTGBM_FORGERIES)
def test_a_forged_model_text_is_refused(forgery: tuple[str, str]) -> None:
    file = _stored("lightgbm")
    head, first, rest = file.body.decode().partition("Tree=0\n")
    tree, second, others = rest.partition("Tree=1\n")
    if re.search(forgery[0], head):
        head = re.sub(forgery[0], forgery[1], head, count=1)
    else:
        forged = re.sub(forgery[0], forgery[1], tree, count=1)
        # Its size agrees, so that the forged line is what must be noticed.
        sizes = re.search(r"tree_sizes=(\d+)", head)
        assert sizes is not None
        head = head.replace(sizes[0], f"tree_sizes={int(sizes[1]) + len(forged) - len(tree)}")
        tree = forged
    with pytest.raises(ValueError, match="expected") as told:
        restored("lightgbm", (head + first + tree + second + others).encode(), file.seen)
    assert "secret" not in str(told.value)


def _child(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 10**6


def _circle(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["right_children"][0] = 0


def _feature(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["split_indices"][0] = 4


def _short(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["split_conditions"].pop()


def _levels(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["split_type"][0] = 1


def _class(learner: Any) -> None:
    learner["gradient_booster"]["model"]["tree_info"][0] = 7


def _linear(learner: Any) -> None:
    learner["gradient_booster"] = {"name": "gblinear", "model": {"weights": [0.0]}}


@pytest.mark.parametrize("forge", [_child, _circle, _feature, _short, _levels, _class, _linear])
def test_a_forged_booster_is_refused(forge: Callable[[Any], None]) -> None:
    file = _stored("xgboost")
    model = json.loads(gzip.decompress(file.body))
    forge(model["learner"])
    with pytest.raises(ValueError, match="expected"):
        restored("xgboost", gzip.compress(json.dumps(model).encode()), file.seen)


def test_a_booster_that_was_pruned_comes_back() -> None:
    spec = CLASSIFIERS["xgboost"].model_copy(update={"gamma": 2.0})
    matrix, labels = _rows()
    fitted = classifier(spec, None, 0, 1).fit(matrix, labels)
    file = stored(fitted)
    back = restored(file.format, file.body, file.seen)
    assert np.array_equal(back.predict_proba(matrix), fitted.predict_proba(matrix))


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "random-forest"])
def test_trees_that_found_nothing_to_split_come_back(name: str) -> None:
    matrix, labels = np.ones((9, 2)), np.arange(9) % 3
    fitted = classifier(CLASSIFIERS[name], None, 0, 1).fit(matrix, labels)
    file = stored(fitted)
    back = restored(file.format, file.body, file.seen)
    np.testing.assert_allclose(
        back.predict_proba(matrix), fitted.predict_proba(matrix), rtol=0, atol=1e-12
    )


def test_a_forest_with_a_pickle_in_it_is_refused() -> None:
    stream = io.BytesIO()
    np.savez(stream, left=np.array([json.loads], dtype=object))
    with pytest.raises(ValueError, match="got something else"):
        restored("forest", stream.getvalue(), (0, 1))


def test_a_grown_forest_is_small_beside_what_it_was() -> None:
    rng = np.random.default_rng(0)
    matrix, labels = rng.normal(size=(500, 5)), rng.integers(0, 3, 500)
    forest = RandomForestClassifier(20, random_state=0).fit(matrix, labels)
    assert len(stored(forest).body) * 5 < len(skops.io.dumps(forest))


def test_the_libraries_are_told_by_the_names_that_are_installed() -> None:
    told = libraries()
    assert {"lightgbm", "numpy", "scikit-learn", "skops"} < set(told)
    assert len({"xgboost", "xgboost-cpu"} & set(told)) == 1
