import io
import threading

import numpy as np
import pytest
from matplotlib.image import imread

from learning.evaluation import scorecard
from learning.plots import confusion_picture, reliability_picture, study_picture
from schemas.plan import Gate
from schemas.results import Scorecard
from tests.learning.worlds import world


def _card(classes: int) -> Scorecard:
    case = world(200, classes, 0, skew=0.1)
    names = [f"class ${c}_x$ {'long ' * 9}" for c in range(classes)]
    return scorecard(case.labels, case.truth, case.truth.argmax(1), names, Gate(resamples=200), 0)


def _size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    height, width = imread(io.BytesIO(picture), format="png").shape[:2]
    return width, height


@pytest.mark.parametrize(
    ("classes", "size"), [(2, (510, 430)), (3, (565, 485)), (30, (1280, 1200))]
)
def test_the_confusion_picture_grows_with_the_classes(classes: int, size: tuple[int, int]) -> None:
    assert _size(confusion_picture(_card(classes), "Holdout")) == pytest.approx(size, abs=1)


def test_the_reliability_picture_stands_one_row() -> None:
    assert _size(reliability_picture(np.array([1]), np.array([[0.0, 1.0]]))) == (520, 560)


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
    assert _size(study_picture(scores)) == (720, 420)


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
