import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.samplers import class_weights, sampler
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote


def _after(spec: Imbalance, counts: tuple[int, ...]) -> list[int]:
    labels = np.repeat(np.arange(len(counts)), counts)
    matrix = np.random.default_rng(0).normal(size=(len(labels), 2))
    made = sampler(spec, counts, seed=0)
    if made is not None:
        _, labels = made.fit_resample(matrix, labels)
    return [int((labels == c).sum()) for c in range(len(counts))]


@pytest.mark.parametrize(
    ("spec", "before", "after"),
    [
        (NoResampling(), (9, 3), [9, 3]),
        (ClassWeights(exponent=1.0), (9, 3), [9, 3]),
        (RandomUndersampling(ratio=1.0), (9, 3, 5), [3, 3, 3]),
        (RandomUndersampling(ratio=0.5), (9, 3, 5), [6, 3, 5]),
        (RandomUndersampling(ratio=0.3), (20, 3), [10, 3]),
        (Smote(ratio=1.0), (9, 3, 5), [9, 9, 9]),
        (Smote(ratio=0.5), (10, 3, 7), [10, 5, 7]),
        (Smote(ratio=1.0), (9, 0, 3), [9, 0, 9]),
        (Smote(ratio=1.0), (9, 1), [9, 9]),
    ],
    ids=str,
)
def test_each_class_gets_the_rows_that_its_method_promises(
    spec: Imbalance, before: tuple[int, ...], after: list[int]
) -> None:
    assert _after(spec, before) == after


def test_neighbours_are_clamped_to_the_scarcest_class_that_grows() -> None:
    made = sampler(Smote(k_neighbors=5, ratio=1.0), (9, 3, 9), seed=0)
    assert made is not None
    assert made.k_neighbors == 2


def test_equal_classes_need_no_sampler() -> None:
    assert sampler(Smote(), (5, 5), seed=0) is None
    assert sampler(RandomUndersampling(), (5, 0, 5), seed=0) is None


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
