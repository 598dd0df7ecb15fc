"""An epoch in a line: figures and names of classes, no cell."""

from learning.reports.epochs import epoch_line
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.trials import FitEpoch

SINGLE = targets(SingleLabel(column="label", classes=(-1, 0, 1)))
TASKS = targets(MultiTaskLabel(columns={"mood": (-1, 0, 1), "loud": ("no", "yes")}))
FLAGS = targets(MultiLabel(columns=("sad", "calm", "glad", "tired")))


def line(
    asked: tuple[Target, ...],
    counts: list[list[int]],
    class_f1: tuple[tuple[float | None, ...], ...],
    macro_f1: tuple[float, ...],
    member: int = 0,
) -> str:
    epoch = FitEpoch(
        member=member, epoch=2, train_loss=0.51234, learning_rate=1e-5, seconds=3.0,
        held_loss=0.6, macro_f1=macro_f1, class_f1=class_f1,
    )  # fmt: skip
    return epoch_line(epoch, asked, counts)


def test_the_rarest_classes_come_first_and_those_without_a_figure_are_left_out() -> None:
    assert line(SINGLE, [[20, 70, 10]], ((0.4, 0.8, 0.25),), (0.4833,)) == (
        "epoch 2: loss 0.5123, macro-F1 0.483; rarest F1: 1 0.250, -1 0.400, 0 0.800"
    )
    assert line(SINGLE, [[20, 70, 10]], ((0.4, 0.8, None),), (0.6,)).endswith(
        "rarest F1: -1 0.400, 0 0.800"
    )


def test_two_tasks_are_told_apart() -> None:
    told = line(TASKS, [[30, 60, 10], [80, 20]], ((0.4, 0.8, 0.3), (0.9, 0.5)), (0.5, 0.7))
    assert told == (
        "epoch 2: loss 0.5123, mood macro-F1 0.500, loud macro-F1 0.700; "
        "rarest F1: mood 1 0.300, loud yes 0.500, mood -1 0.400"
    )


def test_of_many_labels_the_mean_and_the_rarest_three_are_told() -> None:
    counts = [[90, 10], [50, 50], [80, 20], [95, 5]]
    f1: tuple[tuple[float | None, ...], ...] = ((0.9, 0.1), (0.9, 0.2), (0.9, 0.3), (0.9, 0.4))
    assert line(FLAGS, counts, f1, (0.1, 0.2, 0.3, 0.4), member=1) == (
        "member 2, epoch 2: loss 0.5123, macro-F1 0.250; "
        "rarest F1: tired 0.400, sad 0.100, glad 0.300"
    )


def test_without_rows_held_back_there_is_the_loss_alone() -> None:
    epoch = FitEpoch(epoch=1, train_loss=0.7, learning_rate=1e-5, seconds=3.0)
    assert epoch_line(epoch, SINGLE, [[1, 2, 3]]) == "epoch 1: loss 0.7000"
