"""The verdict: whether a challenger has shown enough, on the same rows, to take over.

The reference stays unless the challenger's objective is higher beyond chance (paired bootstrap), no
class and no task pays for it, its probabilities stay honest, and it answers in time. What the rows
can't settle is said with the number of rows that could.
"""

from collections.abc import Iterator, Sequence

from learning.answers import Answers
from learning.arrays import LabelTable
from learning.deciding.bootstrap import Bootstrap, paired
from learning.deciding.objectives import aims
from learning.judging.objections import objections, unmeasurable
from learning.judging.questions import Counted, Objection, Question, Trial, sentence
from learning.reading.wording import amount
from schemas.label import Target
from schemas.objectives import Objective, objective_name
from schemas.plan import Gate
from schemas.results import ClassChange, Decision, Interval, TargetChange, Verdict

NAMED = 5
"""Classes that one reason names; the others are counted."""


def judge(
    labels: LabelTable,  # (n, targets) of the holdout
    reference: Answers,
    challenger: Answers,
    targets: Sequence[Target],
    objective: Objective,
    gate: Gate,
    seed: int,
    reference_name: str,  # as reasons call it: "champion 3", "the baseline"
    *,
    harm: bool = True,  # whether the reference is a model whose classes and calibration count
) -> Verdict:
    """Promote on evidence, hold on a tie or on harm, ask for rows where there are too few.

    Against no model at all (`harm=False`) only the gain and the latency count: a constant answer
    is perfectly calibrated, and perfect on the class that it always decides. Classes that the
    holdout lacks cannot be judged: a promotion names them, and only what the challenger newly
    decides as one of them asks for rows.
    """
    question = Question(
        labels,
        tuple(targets),
        aims(objective, targets),
        objective_name(objective),
        gate,
        seed,
        reference_name,
    )
    if not len(labels):
        return _verdict(question, unmeasurable(question), None)
    compared = paired(
        labels,
        reference,
        challenger,
        question.aims,
        targets,
        gate.resamples,
        gate.confidence,
        seed,
    )
    trial = Trial(question, reference, challenger, compared)
    return _verdict(question, objections(trial, harm), compared)


def _verdict(question: Question, found: list[Objection], compared: Bootstrap | None) -> Verdict:
    final = [each for each in found if each.rows is None]
    decision: Decision = "HOLD" if final else "INSUFFICIENT EVIDENCE" if found else "PROMOTE"
    reasons = [each.reason for each in (*final, *(o for o in found if o not in final))]
    if compared is None:
        return Verdict(decision=decision, reference=question.reference_name, reasons=tuple(reasons))
    asked = {at: _most_rows(found, at) for at in question.counted}
    several = len(question.targets) > 1
    return Verdict(
        decision=decision,
        reference=question.reference_name,
        reasons=tuple(reasons) or tuple(_promoted(question, compared.score)),
        difference=compared.score,
        target_changes=tuple(
            TargetChange(name=target.name, score=change)
            for target, change in zip(question.targets, compared.targets, strict=True)
            if several
        ),
        class_changes=tuple(
            ClassChange(
                target=question.targets[at.t].name,
                name=question.targets[at.t].class_texts[at.c],
                f1=compared.classes[at.t][at.c],
                more_rows=rows,
            )
            for at, rows in asked.items()
        ),
    )


def _most_rows(found: list[Objection], at: Counted) -> int | None:
    return max((o.rows for o in found if o.of_class == at and o.rows), default=None)


def _promoted(question: Question, gain: Interval) -> Iterator[str]:
    yield (
        f"{sentence(question.metric)} is {gain.text(signed=True)} against "
        f"{question.reference_name} on {amount(len(question.labels), 'row')}: higher beyond "
        "chance, and no class pays for it."
    )
    absent = [question.called(at) for at in question.counted if not question.support(at)]
    if absent:
        told, more = ", ".join(absent[:NAMED]), len(absent) - NAMED
        told += f" and {more} more" if more > 0 else ""
        yield f"Not judged, as the holdout has no row of it: {told}."
