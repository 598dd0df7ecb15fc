"""What a fit and the coordinator tell each other while it runs."""

from pathlib import Path

import pytest

from learning.searching.channel import (
    Listener,
    ask_to_end,
    asked_to_end,
    take_back,
    tell_epoch,
    told_epochs,
)
from schemas.trials import FitEpoch


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "oof" / "answers-1.npy"


def epoch(number: int, loss: float = 0.5, member: int = 0) -> FitEpoch:
    return FitEpoch(
        member=member, epoch=number, train_loss=loss, learning_rate=1e-3, seconds=1.0,
        held_loss=0.6, macro_f1=(0.5,), class_f1=((None, 0.5),),
    )  # fmt: skip


def test_epochs_come_out_as_they_were_told(out: Path) -> None:
    assert told_epochs(out) == ()
    told = (epoch(1), epoch(2), epoch(1, member=1))
    for each in told:
        tell_epoch(out, each)
    assert told_epochs(out) == told


def test_an_epoch_that_is_told_again_takes_back_what_came_after_it(out: Path) -> None:
    for each in (epoch(1), epoch(2), epoch(3), epoch(2, loss=0.4)):
        tell_epoch(out, each)
    assert told_epochs(out) == (epoch(1), epoch(2, loss=0.4))


def test_a_line_that_a_kill_cut_short_spoils_no_other(out: Path) -> None:
    tell_epoch(out, epoch(1))
    with out.with_suffix(".epochs").open("a") as stream:
        stream.write('{"member": 0, "epo')
    assert told_epochs(out) == (epoch(1),)
    tell_epoch(out, epoch(2))
    assert told_epochs(out) == (epoch(1), epoch(2))


def test_a_listener_hears_each_epoch_once_and_the_corrected_one_again(out: Path) -> None:
    listener = Listener(out)
    assert listener.fresh() == ()
    tell_epoch(out, epoch(1))
    tell_epoch(out, epoch(2))
    assert listener.fresh() == (epoch(1), epoch(2))
    assert listener.fresh() == ()
    tell_epoch(out, epoch(2, loss=0.4))
    assert listener.fresh() == (epoch(2, loss=0.4),)
    assert listener.heard == (epoch(1), epoch(2, loss=0.4))


def test_a_fit_is_asked_to_end_until_that_is_taken_back(out: Path) -> None:
    take_back(out)
    assert not asked_to_end(out)
    ask_to_end(out)
    assert asked_to_end(out)
    assert not asked_to_end(out.with_name("answers-2.npy"))
    take_back(out)
    assert not asked_to_end(out)
