"""The verdict: whether a challenger has shown enough, on the same rows, to take over.

The reference stays unless the challenger's macro-F1 is higher beyond chance (paired bootstrap),
no class pays for it, its probabilities stay honest, and it answers in time. What the rows can't
settle is said with the number of rows that could.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning import metrics
from learning.arrays import Decisions, Labels, Probabilities
from learning.bootstrap import PairedBootstrap, class_f1_intervals, paired_macro_f1
from schemas.plan import Gate
from schemas.results import ClassChange, Decision, Interval, Verdict

TOO_MANY = 10
"""A difference that needs more than this many times the rows of a class is none in practice."""
ROUNDING = 1e-12
"""Sums of equal F1 in another order of classes differ by less than this."""


@dataclass(frozen=True)
class Answers:
    """One model on the holdout: calibrated probabilities, decisions, milliseconds a row."""

    probabilities: Probabilities
    decisions: Decisions
    latency_ms: float | None = None


@dataclass(frozen=True)
class _Objection:
    """A reason against promotion. `rows` more of `of_class` would settle it, if it's set."""

    reason: str
    of_class: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class _Trial:
    """What is judged: both models' answers to the same rows, and what their difference came to."""

    labels: Labels
    reference: Answers
    challenger: Answers
    names: tuple[str, ...]
    gate: Gate
    seed: int
    reference_name: str
    paired: PairedBootstrap

    @property
    def support(self) -> list[int]:
        """Holdout rows of each class."""
        counts = np.bincount(self.labels, minlength=len(self.names))
        return [int(count) for count in counts]


def judge(
    labels: Labels,  # (n,) of the holdout
    reference: Answers,
    challenger: Answers,
    class_texts: Sequence[str],
    gate: Gate,
    seed: int,
    reference_name: str,  # as reasons call it: "champion 3", "the baseline"
    *,
    harm: bool = True,  # whether the reference is a model whose classes and calibration count
) -> Verdict:
    """Promote on evidence, hold on a tie or on harm, ask for rows where there are too few.

    Against no model at all (`harm=False`) only the gain and the latency count: a constant answer
    is perfectly calibrated, and perfect on the most common class.
    """
    names = tuple(class_texts)
    if not len(labels):
        return _verdict(reference_name, _absent_classes([0] * len(names), names, gate), None, names)
    paired = paired_macro_f1(
        labels,
        reference.decisions,
        challenger.decisions,
        len(names),
        gate.resamples,
        gate.confidence,
        seed,
    )
    trial = _Trial(labels, reference, challenger, names, gate, seed, reference_name, paired)
    return _verdict(reference_name, _objections(trial, harm), trial, names)


def _objections(trial: _Trial, harm: bool) -> list[_Objection]:
    """Against promotion; where macro-F1 alone says no, nothing else is asked."""
    first = (
        _absent_classes(trial.support, trial.names, trial.gate)
        or _no_gain(trial)
        or _gain_within_chance(trial)
    )
    if first or not harm:
        return first or _slowness(trial)
    return [*_class_losses(trial), *_worse_calibration(trial), *_slowness(trial)]


def _verdict(
    reference_name: str, objections: list[_Objection], trial: _Trial | None, names: tuple[str, ...]
) -> Verdict:
    final = [each for each in objections if each.rows is None]
    asked = {each.of_class: each.rows for each in objections}
    decision: Decision = "HOLD" if final else "INSUFFICIENT EVIDENCE" if objections else "PROMOTE"
    reasons = [each.reason for each in (*final, *(o for o in objections if o not in final))]
    if trial is None:
        return Verdict(decision=decision, reference=reference_name, reasons=tuple(reasons))
    return Verdict(
        decision=decision,
        reference=reference_name,
        reasons=tuple(reasons) or (_promoted(trial),),
        difference=trial.paired.macro,
        class_changes=tuple(
            ClassChange(name=name, f1=change, more_rows=asked.get(c))
            for c, (name, change) in enumerate(zip(names, trial.paired.classes, strict=True))
        ),
    )


def _promoted(trial: _Trial) -> str:
    return (
        f"Macro-F1 is {_signed(trial.paired.macro)} against {trial.reference_name} "
        f"on {len(trial.labels)} rows: higher beyond chance, and no class pays for it."
    )


def _absent_classes(support: list[int], names: tuple[str, ...], gate: Gate) -> list[_Objection]:
    """Classes that the holdout lacks; enough is where one row weighs at most `max_class_drop`."""
    enough = math.ceil(1 / max(gate.max_class_drop, 0.01))
    return [
        _Objection(f"The holdout has no row of class '{name}' {_about(enough, name)}.", c, enough)
        for c, name in enumerate(names)
        if not support[c]
    ]


def _no_gain(trial: _Trial) -> list[_Objection]:
    if np.array_equal(trial.reference.decisions, trial.challenger.decisions):
        return [
            _Objection(
                f"Every one of {len(trial.labels)} rows is decided as {trial.reference_name} "
                "decides it; a tie changes nothing."
            )
        ]
    if trial.paired.macro.value <= ROUNDING:
        return [
            _Objection(
                f"Macro-F1 is not higher: {_signed(trial.paired.macro)} "
                f"against {trial.reference_name}."
            )
        ]
    return []


def _gain_within_chance(trial: _Trial) -> list[_Objection]:
    """Too few rows for this gain; a bound narrows with the root of their number."""
    gain = trial.paired.macro
    if gain.low > ROUNDING:
        return []
    c = _widest_class(trial)
    times = ((gain.value - gain.low) / gain.value) ** 2 - 1
    rows = max(1, math.ceil(times * trial.support[c]))
    told = (
        f"Macro-F1 is {_signed(gain)} against {trial.reference_name}: it may be chance on "
        f"{len(trial.labels)} rows"
    )
    if rows > TOO_MANY * trial.support[c]:
        return [_Objection(f"{told}, and the difference is too small to tell apart.")]
    return [_Objection(f"{told} {_about(rows, trial.names[c])}.", c, rows)]


def _widest_class(trial: _Trial) -> int:
    """The class of which the challenger's F1 is least certain; of equals the one of fewest rows."""
    own = class_f1_intervals(
        trial.labels,
        trial.challenger.decisions,
        len(trial.names),
        trial.gate.resamples,
        trial.gate.confidence,
        trial.seed,
    )
    first_rows = [int(np.argmax(trial.labels == c)) for c in range(len(own))]

    def doubt(c: int) -> tuple[float, int, int]:
        # Rounded, and ended by the rows' order: no tie is settled by a class's number.
        return round(own[c].high - own[c].low, 9), -trial.support[c], -first_rows[c]

    return max(range(len(own)), key=doubt)


def _class_losses(trial: _Trial) -> list[_Objection]:
    """Classes that may have lost more than allowed; those that did lose are final."""
    allowed = trial.gate.max_class_drop
    found = []
    for c, (name, change) in enumerate(zip(trial.names, trial.paired.classes, strict=True)):
        if change.low >= -allowed:
            continue
        told = (
            f"Class '{name}' may lose more than {allowed:.4f} of F1: {_signed(change)} "
            f"on {trial.support[c]} rows"
        )
        if change.value < 0 or change.value + allowed <= 0:
            found.append(_Objection(f"{told}."))
            continue
        times = ((change.value - change.low) / (change.value + allowed)) ** 2 - 1
        rows = max(1, math.ceil(times * trial.support[c]))
        found.append(_Objection(f"{told} {_about(rows, name)}.", c, rows))
    return found


def _worse_calibration(trial: _Trial) -> list[_Objection]:
    """Against the reference's error, or what chance alone gives on these rows if that is more."""
    allowed = trial.gate.max_ece_increase
    before = metrics.expected_calibration_error(trial.reference.probabilities, trial.labels)
    after = metrics.expected_calibration_error(trial.challenger.probabilities, trial.labels)
    chance = metrics.chance_calibration_error(trial.challenger.probabilities)
    if after - max(before, chance) <= allowed:
        return []
    return [
        _Objection(
            f"The expected calibration error is {after:.4f}, {trial.reference_name} has "
            f"{before:.4f}, chance gives {chance:.4f}: it may grow by {allowed:.4f} at most."
        )
    ]


def _slowness(trial: _Trial) -> list[_Objection]:
    took, allowed = trial.challenger.latency_ms, trial.gate.max_latency_ms
    if took is None or took <= allowed:
        return []
    return [_Objection(f"A row takes {took:.4f} ms; expected at most {allowed:.4f} ms.")]


def _signed(figure: Interval) -> str:
    return f"{figure.value:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})"


def _about(rows: int, name: str) -> str:
    return f"(about {rows} more rows of class '{name}')"
