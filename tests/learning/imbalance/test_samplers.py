from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from imblearn.under_sampling import EditedNearestNeighbours
from pydantic import ValidationError
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.neighbors import NearestNeighbors

from learning.features.layout import Layout
from learning.imbalance.samplers import Resampled, class_weights, resample, resamplers
from schemas.samplers import (
    Adasyn,
    BalancedEnsemble,
    BorderlineSmote,
    ClassWeights,
    Imbalance,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Smote,
    SmoteEnn,
    SmoteNC,
    SmoteTomek,
)


def _after(
    spec: Imbalance, X: Any, labels: Any, weights: Any = None, layout: Layout | None = None
) -> Resampled:
    layout = layout or Layout(columns=X.shape[1])
    (chain,) = resamplers(spec, np.bincount(labels).tolist(), 0, layout)
    return resample(chain, X, labels, weights)


def _noise(counts: tuple[int, ...], columns: int = 2, seed: int = 0) -> tuple[Any, Any]:
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(seed).normal(size=(len(labels), columns)), labels


@pytest.mark.parametrize(
    ("spec", "before", "after"),
    [
        (NoResampling(), (9, 3), [9, 3]),
        (ClassWeights(exponent=1.0), (9, 3), [9, 3]),
        (RandomUndersampling(ratio=1.0), (9, 3, 5), [3, 3, 3]),
        (RandomUndersampling(ratio=0.5), (9, 3, 5), [6, 3, 5]),
        (RandomUndersampling(ratio=0.3), (20, 3), [10, 3]),
        (RandomOversampling(ratio=0.5), (10, 3, 7), [10, 5, 7]),
        (Smote(ratio=1.0), (9, 3, 5), [9, 9, 9]),
        (Smote(ratio=0.5), (10, 3, 7), [10, 5, 7]),
        (Smote(ratio=1.0), (9, 0, 3), [9, 0, 9]),
        (Smote(ratio=1.0), (9, 1), [9, 9]),
        (BorderlineSmote(ratio=0.5), (10, 3, 7), [10, 5, 7]),
    ],
    ids=str,
)
def test_each_class_gets_the_rows_that_its_method_promises(
    spec: Imbalance, before: tuple[int, ...], after: list[int]
) -> None:
    found = np.bincount(_after(spec, *_noise(before)).labels, minlength=len(before))
    assert found.tolist() == after


@pytest.mark.parametrize("spec", [Smote(), SmoteNC()], ids=str)
def test_smote_without_categories_is_that_of_imbalanced_learn(spec: Imbalance) -> None:
    X, labels = _noise((40, 12), columns=5)
    expected, _ = SMOTE(k_neighbors=5, random_state=0).fit_resample(X, labels)
    assert np.array_equal(_after(spec, X, labels).X, expected)


def test_borderline_smote_is_that_of_imbalanced_learn() -> None:
    X, labels = _noise((40, 12), columns=3)
    expected, _ = BorderlineSMOTE(random_state=0).fit_resample(X, labels)
    assert np.allclose(_after(BorderlineSmote(), X, labels).X, expected)


def test_the_second_variant_goes_at_most_half_the_way_to_another_class() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 0.01, (50, 1)), rng.normal(1, 0.01, (10, 1))])
    labels = np.repeat([0, 1], [50, 10])
    first, second = (
        _after(BorderlineSmote(variant=variant, k_neighbors=30, m_neighbors=19), X, labels).X[60:]
        for variant in (1, 2)
    )
    assert first.min() > 0.9
    assert 0.45 < second.min() < 0.6


def test_adasyn_is_that_of_imbalanced_learn() -> None:
    X, labels = _noise((40, 12), columns=3)
    expected, _ = ADASYN(random_state=0).fit_resample(X, labels)
    assert np.array_equal(_after(Adasyn(), X, labels).X, expected)


def test_each_class_has_the_neighbours_that_it_can_have() -> None:
    X, labels = _noise((40, 3, 12))
    expected, _ = SMOTE(k_neighbors=5, random_state=0).fit_resample(
        X[labels != 1], [0] * 40 + [2] * 12
    )
    after = _after(Smote(k_neighbors=5), X, labels)
    assert np.array_equal(after.X[after.labels == 2], expected[12 + 28 :][-40:])


def test_a_class_of_one_row_grows_by_copies_and_the_others_by_synthesis() -> None:
    X, labels = _noise((20, 1, 6))
    after = _after(Smote(), X, labels)
    assert len(np.unique(after.X[after.labels == 1], axis=0)) == 1
    assert len(np.unique(after.X[after.labels == 2], axis=0)) == 20


@pytest.mark.parametrize("spec", [BorderlineSmote(), BorderlineSmote(variant=2), Adasyn()], ids=str)
def test_a_class_without_hard_rows_grows_by_smote(spec: Imbalance) -> None:
    X, labels = _noise((20, 7))
    X[labels == 1] += 1000
    assert np.array_equal(_after(spec, X, labels).X, _after(Smote(), X, labels).X)


def test_rows_that_are_no_numbers_still_fail() -> None:
    X, labels = _noise((20, 7))
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        _after(Adasyn(), X, labels)


def test_adasyn_synthesises_where_other_classes_are_near() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate(
        [rng.normal(0, 1, (60, 2)), rng.normal(0, 1, (6, 2)), rng.normal(50, 1, (6, 2))]
    )
    labels = np.repeat([0, 1], [60, 12])
    new = _after(Adasyn(k_neighbors=3), X, labels).X[72:]
    assert (new[:, 0] < 25).all()


def test_borderline_smote_starts_only_from_rows_in_danger() -> None:
    rows = np.array([0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.35, 1.45, 9.0, 9.1, 9.2, 9.3])[:, np.newaxis]
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    grown = _after(BorderlineSmote(k_neighbors=1, m_neighbors=3), rows[:-1], labels[:-1]).X[11:]
    assert len(grown) == 1
    assert 1.35 <= grown[0, 0] <= 1.45


CLEANED = [SmoteEnn(), SmoteEnn(ratio=0.1), SmoteTomek(), SmoteTomek(ratio=0.1)]


@pytest.mark.parametrize("spec", CLEANED, ids=str)
def test_cleaning_never_takes_a_whole_class(spec: Imbalance) -> None:
    X = np.concatenate([np.linspace(0, 1, 30), [0.5001]])[:, np.newaxis]
    labels = np.repeat([0, 1], [30, 1])
    assert set(_after(spec, X, labels).labels) == {0, 1}


def test_all_rows_stay_where_cleaning_would_take_them_all() -> None:
    X, labels = np.ones((12, 2)), np.tile([0, 1], 6)
    assert len(_after(SmoteEnn(), X, labels).X) == 12


@pytest.mark.parametrize("spec", [SmoteEnn(), SmoteTomek()], ids=str)
def test_cleaning_takes_a_row_among_another_class(spec: Imbalance) -> None:
    X, labels = _noise((15, 16))
    X[labels == 1] += 100
    X[-1] = X[0] + 1e-6
    labels = np.append(labels[:-1], 1)
    after = _after(spec, X, labels)
    assert not (after.labels[(after.X < 50).all(axis=1)] == 1).any()
    assert (after.labels == 1).sum() == 15


@pytest.mark.parametrize("classes", [2, 3])
def test_editing_is_that_of_imbalanced_learn_where_no_vote_ties(classes: int) -> None:
    # Only three neighbours of three classes tie.
    X, labels = _noise((30,) * classes)
    theirs = EditedNearestNeighbours(sampling_strategy="all", kind_sel="mode", n_neighbors=3)
    theirs.fit_resample(X, labels)
    around = NearestNeighbors(n_neighbors=4).fit(X).kneighbors(X, return_distance=False)[:, 1:]
    tied = np.array([len(set(votes)) == 3 for votes in labels[around]])
    own = (labels[around] == labels[:, np.newaxis]).any(axis=1)
    kept = np.isin(X[:, 0], _after(SmoteEnn(), X, labels).X[:, 0])
    expected = np.isin(np.arange(len(X)), theirs.sample_indices_)
    assert np.array_equal(kept[~tied], expected[~tied])
    assert kept[tied & own].all()


def test_balanced_classes_need_no_sampler() -> None:
    layout = Layout(columns=2)
    for spec in (Smote(), RandomUndersampling(), RandomOversampling(), BalancedEnsemble()):
        assert resamplers(spec, (5, 0, 5), 0, layout) == ((),)
    assert len(resamplers(SmoteTomek(), (5, 5), 0, layout)[0]) == 1


def test_members_of_a_balanced_ensemble_see_rows_of_their_own() -> None:
    X, labels = _noise((200, 10))
    chains = resamplers(BalancedEnsemble(members=8), (200, 10), 0, Layout(columns=2))
    seen = [resample(chain, X, labels, None) for chain in chains]
    assert [np.bincount(after.labels).tolist() for after in seen] == [[10, 10]] * 8
    majority = np.concatenate([after.X[after.labels == 0] for after in seen])
    assert len(np.unique(majority, axis=0)) > 60
    assert all(np.isin(X[labels == 1], after.X).all() for after in seen)


def test_a_repeated_row_keeps_its_weight_and_a_synthetic_one_weighs_the_mean() -> None:
    X, labels = _noise((6, 2))
    weights = np.array([1.0, 1, 1, 1, 1, 1, 2, 6])
    repeated = _after(RandomOversampling(), X, labels, weights)
    assert repeated.weights is not None
    assert all(
        weight == (2 if (row == X[6]).all() else 6)
        for row, weight in zip(repeated.X[6:], repeated.weights[6:], strict=True)
    )
    synthetic = _after(Smote(), X, labels, weights)
    assert synthetic.weights is not None
    assert synthetic.weights.tolist() == [*weights, 4, 4, 4, 4]


def test_only_class_weights_weigh() -> None:
    assert class_weights(Smote(), (9, 3)) is None
    assert class_weights(ClassWeights(exponent=0.0), (9, 3)) == {0: 1.0, 1: 1.0}


def test_an_absent_class_has_no_weight() -> None:
    assert class_weights(ClassWeights(exponent=1.0), (1, 0, 3)) == pytest.approx({0: 2, 2: 2 / 3})


@given(
    counts=st.lists(st.integers(1, 10_000), min_size=2, max_size=6),
    exponent=st.floats(0, 1),
)
def test_the_mean_row_weight_is_one(counts: list[int], exponent: float) -> None:
    weights = class_weights(ClassWeights(exponent=exponent), counts)
    assert weights is not None
    assert sum(n * weights[c] for c, n in enumerate(counts)) == pytest.approx(sum(counts))


def test_full_weights_give_every_class_the_same_say() -> None:
    weights = class_weights(ClassWeights(exponent=1.0), (90, 9, 1))
    assert weights is not None
    assert [n * weights[c] for c, n in enumerate((90, 9, 1))] == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize(
    "raw",
    [{"members": 0}, {"members": 101}, {"ratio": 0.0}, {"ratio": 1.1}],
    ids=str,
)
def test_an_ensemble_has_a_sane_size(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"should be (greater|less) than"):
        BalancedEnsemble.model_validate(raw)


def test_borderline_smote_has_two_variants() -> None:
    assert BorderlineSmote.model_validate({"variant": [1, 2]}).variant == (1, 2)
    with pytest.raises(ValidationError, match="Input should be 1 or 2"):
        BorderlineSmote(variant=3)


def _forest() -> RandomForestClassifier:
    return RandomForestClassifier(50, random_state=0)


@pytest.mark.parametrize("spec", [RandomOversampling(), Smote()], ids=["copies", "smote"])
def test_resampling_before_the_folds_flatters_and_inside_them_does_not(spec: Imbalance) -> None:
    # Why no station of a night hands on resampled rows. 2.5 % positives, a weak signal; all three
    # are average precisions of natural rows, so only the leak tells the first from the others.
    rng = np.random.default_rng(0)
    everything = (np.arange(2400) % 40 == 0).astype(int)
    X, untouched, labels, truth = train_test_split(
        rng.normal(size=(2400, 8)) + 0.5 * everything[:, np.newaxis],
        everything,
        test_size=0.5,
        stratify=everything,
        random_state=0,
    )
    folds = StratifiedKFold(4, shuffle=True, random_state=0)

    early = _after(spec, X, labels)
    leaked = cross_val_predict(_forest(), early.X, early.labels, cv=folds, method="predict_proba")
    before = average_precision_score(labels, leaked[: len(labels), 1])

    scores = np.zeros(len(labels))
    for train, test in folds.split(X, labels):
        rows = _after(spec, X[train], labels[train])
        scores[test] = _forest().fit(rows.X, rows.labels).predict_proba(X[test])[:, 1]
    inside = average_precision_score(labels, scores)

    fitted = _forest().fit(early.X, early.labels)
    later = average_precision_score(truth, fitted.predict_proba(untouched)[:, 1])

    assert before > 0.8
    assert inside < 0.2
    assert later == pytest.approx(inside, abs=0.1)
