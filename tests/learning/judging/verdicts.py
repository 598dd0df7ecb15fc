"""Answers made by hand, and what the gate says of them."""

import numpy as np

from learning.answers import Answers
from learning.judging.gate import judge
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.objectives import MacroF1
from schemas.plan import Gate
from schemas.results import Verdict

NAMES = ("-1", "0", "1")
TARGETS = targets(SingleLabel(column="stance", classes=NAMES))
GATE = Gate(resamples=500)

LABELS = np.tile([0, 1, 2, 0, 0], 120)
BOTH = targets(MultiTaskLabel(columns={"stance": NAMES, "tone": ("dry", "warm")}))
MANY = targets(MultiLabel(columns=("sad", "calm")))
TONES = np.tile([0, 1], 300)


def answered(
    decisions: np.ndarray, sure: float = 0.9, latency_ms: float | None = None, classes: int = 3
) -> Answers:
    """Decisions with the same confidence everywhere."""
    rest = (1 - sure) / (classes - 1)
    probabilities = np.full((len(decisions), classes), rest)
    probabilities[np.arange(len(decisions)), decisions] = sure
    return Answers((probabilities,), decisions[:, None], latency_ms)


def truthful(probabilities: np.ndarray) -> Answers:
    return Answers((probabilities,), probabilities.argmax(1)[:, None])


def beside(*answers: Answers) -> Answers:
    """Answers to one target each, as the answers of one model to all of them."""
    parts = tuple(part for each in answers for part in each.probabilities)
    return Answers(parts, np.hstack([each.decisions for each in answers]))


def with_errors(labels: np.ndarray, every: int, start: int = 0) -> np.ndarray:
    """Every so many-th row decided as the next class."""
    decisions = labels.copy()
    decisions[start::every] = (labels[start::every] + 1) % 3
    return decisions


def judged(labels: np.ndarray, before: Answers, after: Answers, gate: Gate = GATE) -> Verdict:
    return judge(labels[:, None], before, after, TARGETS, MacroF1(), gate, 0, "champion 3")


def judged_one(
    labels: np.ndarray, before: Answers, after: Answers, target: Target, gate: Gate = GATE
) -> Verdict:
    return judge(labels[:, None], before, after, (target,), MacroF1(), gate, 0, "champion 3")


def toned(every: int, sure: float = 0.9) -> Answers:
    """Answers to the tones, every so many-th of them wrong."""
    decisions = TONES.copy()
    decisions[::every] = 1 - TONES[::every]
    return answered(decisions, sure, classes=2)


def judged_both(
    before: Answers, after: Answers, asked: tuple[Target, ...] = BOTH, gate: Gate = GATE
) -> Verdict:
    firsts = LABELS if asked is BOTH else TONES
    labels = np.stack([firsts, TONES], axis=1)
    return judge(labels, before, after, asked, MacroF1(), gate, 0, "champion 3")
