"""A fit that is asked to end between two steps goes on from the very step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learning.neural.estimator import TransformerClassifier
from schemas.faults import FitInterrupted
from tests.learning.neural.tiny import LENGTH, MOOD, make_bert, rows, settled

# 48 rows, of which 36 in steps of 8: 5 steps an epoch.
TRAINING: dict[str, Any] = {"epochs": 3, "validation_share": 0.25}


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("dropping") / "bert", dropout=0.1)


def estimator(bert: Path, checkpoints: Path | None, **training: Any) -> TransformerClassifier:
    spec = settled(bert, training={**TRAINING, **training})
    return TransformerClassifier(spec, (MOOD, LENGTH), ("text",), 1, 1, checkpoints)


def after(asks: int) -> Callable[[], bool]:
    """True from the so-manieth time it is asked."""
    left = iter(range(asks - 1))
    return lambda: next(left, None) is None


def steps_kept(folder: Path) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in folder.rglob("checkpoint-*"))


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_rest_of_an_interrupted_epoch_leads_to_the_same_network(
    dropping: Path, tmp_path: Path, accumulation: int
) -> None:
    frame, labels = rows(48)
    shape = {"accumulation": accumulation, "batch_size": 8 // accumulation}
    with pytest.raises(FitInterrupted, match=r"after step 2 of 15; the same fit goes on"):
        estimator(dropping, tmp_path, **shape).fit(frame, labels, ends=after(2))
    assert steps_kept(tmp_path) == [2]
    told: list[int] = []
    resumed = estimator(dropping, tmp_path, **shape)
    resumed.fit(frame, labels, told=lambda epoch: told.append(epoch.epoch))
    whole = estimator(dropping, None, **shape).fit(frame, labels)
    assert told == [1, 2, 3]
    # The first epoch's loss is of its last three steps.
    assert [e.train_loss for e in resumed.history_][1:] == [e.train_loss for e in whole.history_][
        1:
    ]
    assert [e.score for e in resumed.history_] == [e.score for e in whole.history_]
    for one, other in zip(resumed.predict_proba(frame), whole.predict_proba(frame), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_may_be_asked_after_every_step_and_ends_the_same(
    dropping: Path, tmp_path: Path
) -> None:
    frame, labels = rows(48)
    stops = 0
    while True:
        fit = estimator(dropping, tmp_path, epochs=2)
        try:
            fit.fit(frame, labels, ends=lambda: True)
            break
        except FitInterrupted:
            stops += 1
    assert stops == 9  # after the last of ten steps it is over
    whole = estimator(dropping, None, epochs=2).fit(frame, labels)
    assert [e.epoch for e in fit.history_] == [1, 2]
    assert [e.score for e in fit.history_] == [e.score for e in whole.history_]
    np.testing.assert_array_equal(fit.predict_proba(frame)[0], whole.predict_proba(frame)[0])


def test_the_end_of_an_epoch_is_kept_with_its_figures(dropping: Path, tmp_path: Path) -> None:
    frame, labels = rows(48)
    told: list[int] = []
    with pytest.raises(FitInterrupted, match="after step 5 of 15"):
        estimator(dropping, tmp_path).fit(
            frame, labels, told=lambda epoch: told.append(epoch.epoch), ends=after(5)
        )
    assert told == [1]
    fit = estimator(dropping, tmp_path).fit(
        frame, labels, told=lambda epoch: told.append(epoch.epoch)
    )
    assert told == [1, 2, 3]
    assert [e.epoch for e in fit.history_] == [1, 2, 3]


def test_without_a_folder_there_is_nothing_to_ask_for(bert: Path) -> None:
    fit = estimator(bert, None, epochs=1).fit(*rows(48), ends=lambda: True)
    assert [e.epoch for e in fit.history_] == [1]
