import io
import threading
from collections.abc import Callable
from time import process_time

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from sklearn.metrics import average_precision_score, roc_auc_score

import learning.pictures.curves as curves
import learning.pictures.histories as histories
from learning.deciding.metrics import class_figures, confusion
from learning.deciding.objectives import MeanF, of_confusion
from learning.pictures.curves import precision_recall_picture, reliability_picture, roc_picture
from learning.pictures.drawing import short
from learning.pictures.histories import history_picture, importance_picture, study_picture
from learning.pictures.plots import class_change_picture, confusion_picture
from schemas.label import MultiLabel, SingleLabel, Target, targets
from schemas.results import ClassChange, ClassScore, Interval, TargetScore
from schemas.trials import StudyResult, TrialRecord
from tests.learning.worlds import world


def _target(classes: int) -> Target:
    names = tuple(f"class ${c}_x$ {'long ' * 9}" for c in range(classes))
    return targets(SingleLabel(column="label", classes=names))[0]


def _card(classes: int, names: tuple[str, ...] | None = None) -> TargetScore:
    case = world(200, classes, 0, skew=0.1)
    counts = confusion(case.labels, case.truth.argmax(1), classes)
    figures = class_figures(counts)
    scores = tuple(
        ClassScore(
            name=name,
            support=int(counts[c].sum()),
            predicted=int(counts[:, c].sum()),
            hits=int(counts[c, c]),
            precision=figures.precision[c],
            recall=figures.recall[c],
            f1=figures.f1[c],
            average_precision=None,
            roc_auc=None,
        )
        for c, name in enumerate(names or _target(classes).class_texts)
    )
    return TargetScore(
        name="label",
        rows=200,
        counted=tuple(range(classes)),
        score=Interval(value=0, low=0, high=0),
        macro_f1=float(of_confusion(MeanF(tuple(range(classes))), counts)),
        macro_precision=0,
        macro_recall=0,
        accuracy=float(np.trace(counts) / 200),
        balanced_accuracy=0,
        log_loss=0,
        brier=0,
        ece=0,
        class_ece=0,
        roc_auc=None,
        average_precision=None,
        classes=scores,
        confusion=tuple(tuple(int(n) for n in row) for row in counts),
    )


def _size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    height, width = imread(io.BytesIO(picture), format="png").shape[:2]
    return width, height


def _ink(picture: bytes) -> float:
    """Share of dots that are not paper."""
    return float((imread(io.BytesIO(picture), format="png")[:, :, :3] < 1).any(2).mean())


def _change(value: float, width: float, name: str = "rare", target: str = "label") -> ClassChange:
    f1 = Interval(value=value, low=value - width, high=value + width)
    return ClassChange(target=target, name=name, f1=f1)


@pytest.mark.parametrize(
    ("classes", "size"), [(2, (610, 430)), (3, (665, 485)), (30, (1380, 1200))]
)
def test_the_confusion_picture_grows_with_the_classes(classes: int, size: tuple[int, int]) -> None:
    assert _size(confusion_picture(_card(classes), "Holdout")) == pytest.approx(size, abs=1)


def test_the_confusion_picture_of_a_thousand_classes_names_none_and_is_soon_drawn() -> None:
    # With names it took ten times as long as it may here.
    card, started = _card(1000), process_time()
    assert _size(confusion_picture(card, "Holdout")) == pytest.approx((1250, 1200), abs=1)
    assert process_time() - started < 1.0


def test_the_confusion_picture_stands_any_name() -> None:
    names = ("文字", "a\nb\tc", "$x^{$", "\N{FACE WITH TEARS OF JOY}")
    assert _size(confusion_picture(_card(4, names), "$ 文字 \n" * 30))[1] == 540


@pytest.mark.parametrize("classes", [2, 3])
def test_the_reliability_picture_stands_any_number_of_rows(classes: int) -> None:
    case = world(1000, classes, 0)
    for rows in (0, 1, 2, 1000):
        labels, said = case.labels[:rows], case.truth[:rows]
        assert _size(reliability_picture(labels, said)) == (520, 560)
        assert _size(reliability_picture(labels, said, said**2)) == (520, 560)


def test_no_legend_covers_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    case, beyond = world(300, 3, 0), []

    def look(figure: Figure) -> bytes:
        figure.draw_without_rendering()
        (legend,) = figure.legends
        told = legend.get_window_extent()
        inside = told.x0 >= 0 and told.x1 <= figure.bbox.x1
        covers = any(told.overlaps(axes.get_tightbbox()) for axes in figure.axes)
        beyond.append(inside and not covers)
        return b""

    for module in (curves, histories):
        monkeypatch.setattr(module, "png", look)
    reliability_picture(case.labels, case.truth, case.truth)
    history_picture(StudyResult(family="lightgbm", trials=TRIALS, best=None), "macro-F1")
    study_picture({f"{c}-long-family-of-trees": [(1.0, 0.5)] for c in "abcde"})
    assert beyond == [True] * 3


def test_the_reliability_picture_stands_certainty() -> None:
    sure = np.eye(2)[np.array([0, 1, 1])]
    assert _size(reliability_picture(np.array([0, 1, 0]), sure)) == (520, 560)


def test_what_was_before_calibration_is_drawn() -> None:
    case = world(1000, 3, 0)
    alone = reliability_picture(case.labels, case.truth)
    assert _ink(reliability_picture(case.labels, case.truth, case.truth**2)) > _ink(alone)


@pytest.mark.parametrize("picture", [precision_recall_picture, roc_picture])
@pytest.mark.parametrize(("classes", "width"), [(2, 640), (3, 640), (4, 820), (40, 820)])
def test_curves_are_drawn_for_any_number_of_classes(
    picture: Callable[..., bytes], classes: int, width: int
) -> None:
    case = world(2000, classes, 0, skew=0.0)
    decisions = case.truth.argmax(1)
    drawn = picture(case.labels, case.truth, _target(classes), decisions)
    expected = 640 if picture is roc_picture and classes == 2 else width
    assert _size(drawn) == (expected, 520)


@pytest.mark.parametrize("picture", [precision_recall_picture, roc_picture])
@pytest.mark.parametrize("rows", [0, 1, 30])
def test_a_class_without_rows_has_no_curve(picture: Callable[..., bytes], rows: int) -> None:
    labels = np.zeros(rows, dtype=np.int64)
    drawn = picture(labels, np.full((rows, 3), 1 / 3), _target(3), labels)
    assert _size(drawn) == (640, 520)


def _legend(monkeypatch: pytest.MonkeyPatch, draw: Callable[[], bytes]) -> list[str]:
    """The words beside the curves of what is drawn."""
    told: list[str] = []

    def read(figure: Figure) -> bytes:
        legend = figure.axes[0].get_legend()
        told.extend(text.get_text() for text in legend.get_texts())
        return b""

    with monkeypatch.context() as patch:
        patch.setattr(curves, "png", read)
        draw()
    return told


@pytest.mark.parametrize(
    ("picture", "figure", "of_both"),
    [(precision_recall_picture, "AP", average_precision_score), (roc_picture, "AUC", None)],
    ids=["precision and recall", "roc"],
)
def test_one_of_many_labels_has_the_curve_of_its_yes(
    picture: Callable[..., bytes],
    figure: str,
    of_both: Callable[..., float] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = world(500, 2, 0)
    labels = 1 - case.labels  # so that 1 is the common class, which the rarest first leaves last
    yes = targets(MultiLabel(columns=("sad", "calm")))[0]
    no, both = (yes.model_copy(update={"counted": counted}) for counted in ((0,), (0, 1)))
    told = {
        name: _legend(monkeypatch, lambda t=target: picture(labels, case.truth[:, ::-1], t))
        for name, target in {"yes": yes, "no": no, "both": both}.items()
    }
    score = of_both or roc_auc_score
    expected = [
        f"{c}: {figure} {score(labels == c, case.truth[:, 1 - c]):.3f} ({(labels == c).sum()} rows)"
        for c in (0, 1)
    ]
    assert told["yes"] == expected[1:]
    assert told["no"] == expected[:1]
    assert told["both"] == (expected if of_both else expected[:1])
    drawn = [picture(labels, case.truth[:, ::-1], target) for target in (yes, no)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param({"lightgbm": [(1.0, 0.5), (0.5, 0.6)], "other": [(2.0, 0.7)]}, id="two"),
        pytest.param({"lightgbm": []}, id="no trial"),
        pytest.param({}, id="no family"),
    ],
)
def test_the_study_picture_stands_any_number_of_trials(
    scores: dict[str, list[tuple[float, float]]],
) -> None:
    assert _size(study_picture(scores, "F2 of '$ 文'")) == (720, 420)


TRIALS = (
    TrialRecord(number=0, state="COMPLETE", params={}, score=0.5, fold_scores=(0.4, 0.6)),
    TrialRecord(number=1, state="PRUNED", params={}, fold_scores=(0.3,)),
    TrialRecord(number=2, state="FAIL", params={}),
    TrialRecord(number=3, state="COMPLETE", params={}, score=0.7, fold_scores=(0.7,), cut_off=True),
    TrialRecord(number=4, state="COMPLETE", params={}, score=0.6, fold_scores=(0.5, 0.7)),
    TrialRecord(number=5, state="PRUNED", params={}),
    TrialRecord(number=6, state="FAIL", params={}),
)


@pytest.mark.parametrize(
    "trials",
    [TRIALS, TRIALS[:1], TRIALS[1:2], TRIALS[2:3], ()],
    ids=["all", "one", "pruned", "failed", "none"],
)
def test_the_history_picture_stands_any_trial(trials: tuple[TrialRecord, ...]) -> None:
    study = StudyResult(family="lightgbm", trials=trials, best=None)
    assert _size(history_picture(study, "balanced accuracy")) == (720, 420)


def test_the_importance_picture_grows_with_the_settings_up_to_fifteen() -> None:
    shares = {f"classifier.knob{k}": k / 190 for k in range(20)}
    heights = [
        _size(importance_picture(dict(list(shares.items())[:n]), "lightgbm"))[1]
        for n in (0, 2, 5, 15, 20)
    ]
    assert heights == [194, 194, 290, 610, 610]


def test_the_change_picture_grows_with_the_classes_up_to_forty() -> None:
    changes = [_change(0.001 * c, 0.01, f"class {c}", f"task {c % 2}") for c in range(60)]
    heights = [_size(class_change_picture(changes[:n], "champion 3"))[1] for n in (0, 2, 5, 40, 60)]
    assert heights == [200, 200, 290, 1340, 1340]


def test_a_change_beyond_chance_is_coloured() -> None:
    def vivid(picture: bytes) -> float:
        dots = imread(io.BytesIO(picture), format="png")[:, :, :3]
        return float((np.ptp(dots, axis=2) > 0.5).sum())

    assert vivid(class_change_picture([_change(0.1, 0.2)], "champion 3")) == 0
    assert vivid(class_change_picture([_change(0.3, 0.2)], "champion 3")) > 50
    assert vivid(class_change_picture([_change(-0.3, 0.2)], "champion 3")) > 50


def test_the_same_figures_give_the_same_bytes_in_any_thread() -> None:
    case = world(200, 3, 0)
    expected = reliability_picture(case.labels, case.truth)
    drawn: list[bytes] = []

    def draw() -> None:
        drawn.append(reliability_picture(case.labels, case.truth))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [expected] * 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plain", "plain"),
        ("cost $5", r"cost \$5"),
        ("two\nlines", "two lines"),
        ("a" * 30, "a" * 21 + "..."),
        ("ünï \N{GREEK SMALL LETTER MU}", "ünï \N{GREEK SMALL LETTER MU}"),
        ("文", "?"),
    ],
)
def test_names_are_told_so_that_they_can_be_drawn(text: str, told: str) -> None:
    assert short(text) == told
