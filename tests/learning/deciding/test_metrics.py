import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from learning.deciding import metrics
from learning.deciding.objectives import MeanF, of_confusion
from tests.learning.worlds import world


def _macro_f1s(confusions: np.ndarray) -> np.ndarray:
    return of_confusion(MeanF(tuple(range(confusions.shape[-1]))), confusions)


def _macro_f1(confusion: np.ndarray) -> float:
    return float(_macro_f1s(confusion))


SEEDS = st.integers(0, 10_000)
CLASSES = st.integers(2, 6)


@settings(max_examples=30, deadline=None)
@given(SEEDS, CLASSES, st.integers(1, 80))
def test_f1_precision_and_recall_are_scikit_learns(seed: int, classes: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    labels, decisions = rng.integers(0, classes, (2, rows))
    counts = metrics.confusion(labels, decisions, classes)
    assert np.array_equal(counts, oracle.confusion_matrix(labels, decisions, labels=range(classes)))
    assert _macro_f1(counts) == pytest.approx(
        oracle.f1_score(labels, decisions, average="macro", zero_division=0)
    )
    figures = metrics.class_figures(counts)
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(
        labels, decisions, labels=range(classes), zero_division=np.nan
    )
    for ours, theirs in ((figures.precision, precision), (figures.recall, recall)):
        assert [np.nan if x is None else x for x in ours] == pytest.approx(theirs, nan_ok=True)
    assert [0 if x is None else x for x in figures.f1] == pytest.approx(np.nan_to_num(f1))


@settings(max_examples=20, deadline=None)
@given(SEEDS, CLASSES)
def test_probability_figures_are_scikit_learns(seed: int, classes: int) -> None:
    case = world(120, classes, seed)
    labels, truth = case.labels, case.truth
    assert metrics.log_loss(truth, labels) == pytest.approx(
        oracle.log_loss(labels, truth, labels=range(classes))
    )
    onehot = np.eye(classes)[labels]
    assert metrics.brier(truth, labels) == pytest.approx(((truth - onehot) ** 2).sum(1).mean())
    areas = metrics.class_areas(truth, labels).average_precision
    for c, area in enumerate(areas):
        if area is None:
            assert not (labels == c).any()
        else:
            assert area == pytest.approx(oracle.average_precision_score(labels == c, truth[:, c]))


def _mean_roc_auc(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    return metrics.mean_of_known(metrics.class_areas(probabilities, labels).roc_auc)


def test_roc_auc_of_more_classes_is_one_against_the_rest() -> None:
    case = world(300, 3, 1)
    assert metrics.mean_of_known(
        metrics.class_areas(case.truth, case.labels).roc_auc
    ) == pytest.approx(
        oracle.roc_auc_score(case.labels, case.truth, multi_class="ovr", average="macro")
    )


def test_roc_auc_of_two_classes_is_the_same_for_either() -> None:
    case = world(300, 2, 2)
    assert metrics.mean_of_known(
        metrics.class_areas(case.truth, case.labels).roc_auc
    ) == pytest.approx(oracle.roc_auc_score(case.labels, case.truth[:, 1]))


def test_one_class_alone_has_no_roc_auc() -> None:
    alone = metrics.class_areas(np.full((4, 2), 0.5), np.zeros(4, dtype=np.int64))
    assert alone.roc_auc == (None, None)
    assert metrics.mean_of_known(alone.roc_auc) is None
    assert alone.average_precision == (1.0, None)


def test_average_precision_of_two_classes_is_the_rarer_ones() -> None:
    case = world(300, 2, 3)
    rare = int(np.argmin(np.bincount(case.labels)))
    expected = oracle.average_precision_score(case.labels == rare, case.truth[:, rare])
    assert metrics.average_precision(case.truth, case.labels, (0, 1)) == pytest.approx(expected)
    flipped = metrics.average_precision(case.truth[:, ::-1], 1 - case.labels, (0, 1))
    assert flipped == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "classes", "counted", "ranked"),
    [
        pytest.param([0, 0, 1], 2, (0, 1), (1,), id="the rarer of two"),
        pytest.param([0, 1], 2, (0, 1), (0, 1), id="two that are equally rare"),
        pytest.param([0, 0], 2, (0, 1), (0,), id="the only one there"),
        pytest.param([1, 1, 0], 2, (1,), (1,), id="a label of many, however common"),
        pytest.param([0, 0, 0, 1, 3], 4, (0, 1, 2, 3), (0, 1, 3), id="all that are there of more"),
        pytest.param([], 2, (0, 1), (), id="no rows"),
    ],
)
def test_which_classes_are_ranked(
    labels: list[int], classes: int, counted: tuple[int, ...], ranked: tuple[int, ...]
) -> None:
    assert metrics.ranked_classes(np.array(labels, dtype=np.int64), classes, counted) == ranked


def test_roc_auc_of_each_class_is_scikit_learns() -> None:
    case = world(300, 3, 1)
    expected = [oracle.roc_auc_score(case.labels == c, case.truth[:, c]) for c in range(3)]
    assert metrics.class_areas(case.truth, case.labels).roc_auc == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 60), st.integers(1, 8))
def test_areas_of_equal_probabilities_are_scikit_learns(seed: int, rows: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, levels, rows) / levels, rng.integers(0, 2, rows)
    areas = metrics.class_areas(np.stack([1 - scores, scores], axis=1), labels)
    if len(np.unique(labels)) == 2:
        assert areas.roc_auc[1] == pytest.approx(oracle.roc_auc_score(labels, scores))
        expected = oracle.average_precision_score(labels, scores)
        assert areas.average_precision[1] == pytest.approx(expected)


def test_areas_of_probabilities_that_are_none_are_refused() -> None:
    broken = np.array([[0.5, 0.5], [np.nan, 0.5]])
    with pytest.raises(ValueError, match="Expected probabilities of class 0, got NaN"):
        metrics.class_areas(broken, np.array([0, 1]))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.1, 10))
def test_f_beta_is_scikit_learns(seed: int, beta: float) -> None:
    labels, decisions = np.random.default_rng(seed).integers(0, 4, (2, 50))
    counts = metrics.confusion(labels, decisions, 4)
    ours = metrics.class_fs(np.diagonal(counts), counts.sum(0), counts.sum(1), beta)
    theirs = oracle.fbeta_score(
        labels, decisions, beta=beta, average=None, labels=range(4), zero_division=np.nan
    )
    assert ours == pytest.approx(theirs, nan_ok=True)


@pytest.mark.parametrize(
    ("counts", "f1s", "macro"),
    [
        pytest.param([[3, 0], [0, 2]], (1.0, 1.0), 1.0, id="all right"),
        pytest.param([[3, 0], [2, 0]], (0.75, 0.0), 0.375, id="a class never decided"),
        pytest.param([[3, 2], [0, 0]], (0.75, 0.0), 0.375, id="a class without rows, decided"),
        pytest.param([[3, 0], [0, 0]], (1.0, None), 1.0, id="a class neither there nor decided"),
        pytest.param([[0, 0], [0, 0]], (None, None), 0.0, id="no rows"),
    ],
)
def test_only_classes_with_rows_or_decisions_count(
    counts: list[list[int]], f1s: tuple[float | None, ...], macro: float
) -> None:
    assert metrics.class_figures(np.array(counts)).f1 == f1s
    assert _macro_f1(np.array(counts)) == macro


def test_many_confusions_score_as_one_by_one() -> None:
    many = np.random.default_rng(0).integers(0, 4, (5, 3, 4, 4))
    each = [[_macro_f1(inner) for inner in outer] for outer in many]
    assert np.allclose(_macro_f1s(many), each)


@settings(max_examples=20, deadline=None)
@given(SEEDS, CLASSES)
def test_renaming_classes_changes_no_figure(seed: int, classes: int) -> None:
    case = world(150, classes, seed)
    order = np.random.default_rng(seed).permutation(classes)
    renamed, labels = case.truth[:, order], np.argsort(order)[case.labels]
    for figure in (
        metrics.log_loss,
        metrics.brier,
        metrics.expected_calibration_error,
        lambda p, y: metrics.worst_class_calibration_error(p, y, tuple(range(classes))),
        _mean_roc_auc,
        lambda p, y: _macro_f1(metrics.confusion(y, p.argmax(1), classes)),
    ):
        assert figure(renamed, labels) == pytest.approx(figure(case.truth, case.labels))


@pytest.mark.parametrize("figure", [metrics.log_loss, metrics.brier])
@pytest.mark.parametrize("power", [0.5, 2.0])
def test_true_probabilities_win(figure, power: float) -> None:  # type: ignore[no-untyped-def]
    case = world(20_000, 4, 5)
    bent = case.truth**power
    bent /= bent.sum(1, keepdims=True)
    assert figure(case.truth, case.labels) < figure(bent, case.labels)


def test_true_probabilities_have_the_calibration_error_of_chance() -> None:
    errors, chances = [], []
    for seed in range(60):
        case = world(400, 3, seed)
        errors.append(metrics.expected_calibration_error(case.truth, case.labels))
        chances.append(metrics.chance_calibration_error(case.truth))
    assert np.mean(errors) == pytest.approx(np.mean(chances), rel=0.1)


def test_overconfidence_shows_as_calibration_error() -> None:
    labels = np.tile([0, 0, 0, 1], 100)
    sure = np.tile([0.95, 0.05], (400, 1))
    assert metrics.expected_calibration_error(sure, labels) == pytest.approx(0.2)


@pytest.mark.parametrize(("rows", "bins"), [(6000, 15), (600, 12), (149, 2), (30, 1)])
def test_class_calibration_errors_are_the_gaps_of_each_bin(rows: int, bins: int) -> None:
    case = world(rows, 3, 7)
    bent = case.truth**2 / (case.truth**2).sum(1, keepdims=True)
    starts = np.arange(bins) * rows // bins  # all rows differ, so no bin moves
    expected = []
    for c in range(3):
        parts = np.split(np.argsort(bent[:, c]), starts[1:])
        gaps = [abs(bent[rows_, c].mean() - (case.labels[rows_] == c).mean()) for rows_ in parts]
        expected.append(np.average(gaps, weights=[len(rows_) for rows_ in parts]))
    found = metrics.class_calibration_errors(bent, case.labels)
    assert found == pytest.approx(expected)
    for counted in ((0, 1, 2), (1,)):
        worst = metrics.worst_class_calibration_error(bent, case.labels, counted)
        assert worst == pytest.approx(max(expected[c] for c in counted))


@settings(max_examples=20, deadline=None)
@given(SEEDS, CLASSES)
def test_class_calibration_errors_move_with_their_classes(seed: int, classes: int) -> None:
    case = world(150, classes, seed)
    order = np.random.default_rng(seed).permutation(classes)
    renamed, labels = case.truth[:, order], np.argsort(order)[case.labels]
    errors = metrics.class_calibration_errors(case.truth, case.labels)
    assert metrics.class_calibration_errors(renamed, labels) == pytest.approx(errors[order])
    chances = metrics.chance_class_calibration_errors(case.truth, 0.9)
    assert metrics.chance_class_calibration_errors(renamed, 0.9) == pytest.approx(chances[order])


def test_class_calibration_errors_of_true_probabilities_are_those_of_chance() -> None:
    cases = [world(400, 3, seed) for seed in range(200)]
    errors = np.array([metrics.class_calibration_errors(c.truth, c.labels) for c in cases])
    chances = np.array([metrics.chance_class_calibration_errors(c.truth) for c in cases])
    assert errors.mean(0) == pytest.approx(chances.mean(0), rel=0.1)
    bounds = np.array([metrics.chance_class_calibration_errors(c.truth, 0.95) for c in cases])
    assert ((errors > bounds).mean(0) < 0.1).all()


def test_too_much_of_a_rare_class_cancels_in_the_arg_max_and_shows_in_its_class() -> None:
    labels = np.repeat([0, 1, 0, 1], (900, 0, 50, 50))
    rare = np.repeat([0.25, 0.75], (900, 100))  # sure of the common one by 0.75: it's 1.0
    probabilities = np.stack([1 - rare, rare], axis=1)
    # (900 * (1 - 0.75) + 100 * (0.75 - 0.5)) / 1000, and (900 * 0.25 - 100 * 0.25) / 1000
    assert metrics.class_calibration_errors(probabilities, labels) == pytest.approx([0.25, 0.25])
    assert metrics.expected_calibration_error(probabilities, labels) == pytest.approx(0.2)


def test_rows_of_equal_confidence_share_a_bin_in_any_order() -> None:
    labels = np.repeat([0, 1], 300)
    sure = np.tile([0.5, 0.5], (600, 1))
    assert metrics.expected_calibration_error(sure, labels) == pytest.approx(0.0)


def test_an_impossible_truth_costs_a_finite_log_loss() -> None:
    assert metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(
        27.631, abs=0.01
    )
