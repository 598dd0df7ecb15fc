"""The numbers under which Optuna keeps what a trial under way is worth: none has two meanings.

1, 2, ... are scores on so many whole folds. From `EPOCHS` on they are scores of epochs: after `d`
folds were answered, epoch `e` of the folds that run beside each other is `EPOCHS * (d + 1) + e`,
and the score is the mean of theirs. The pruner compares a step with the same step of other trials.
"""

EPOCHS = 1_000
"""More than a plan may have of folds, or a fit of epochs."""


def epoch_step(answered: int, epoch: int) -> int:
    """The step of an epoch of the folds that run after so many were answered.

    >>> epoch_step(answered=0, epoch=3), epoch_step(answered=2, epoch=1)
    (1003, 3001)
    """
    return EPOCHS * (answered + 1) + epoch


def is_before(one: int, other: int) -> bool:
    """Whether a step is of the other's kind, and not after it.

    >>> is_before(2, 3), is_before(1002, 1003), is_before(2, 1003), is_before(1003, 2001)
    (True, True, False, False)
    """
    return one // EPOCHS == other // EPOCHS and one <= other
