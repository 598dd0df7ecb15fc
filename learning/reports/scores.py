"""What was found, as tables: the models side by side, then each target by its classes."""

from collections.abc import Sequence

from learning.reading.wording import amount
from learning.reports.markdown import MOST_LINES, capped, heading, table
from learning.reports.texts import figure, interval
from schemas.label import Target
from schemas.night import BASELINE, Night
from schemas.results import ClassChange, ClassScore, Scorecard, TargetScore

Row = dict[str, str]
Ranked = tuple[float, Row]
"""A row, and how early it is left out of a table of very many: the lowest stays."""

_REST = "see challenger/classes.csv and metrics.json"


def found(night: Night) -> str:
    """All tables of the holdout: of one label, of several, or of many that are there or not."""
    challenger = night.judgement.cards["challenger"]
    parts = [table([_model(night, role) for role in night.judgement.cards])]
    if len(challenger.targets) == 1:
        return "\n\n".join([*parts, *_target(night, challenger.targets[0])])
    parts.append(capped(_side_by_side(night), _REST))
    if are_marks(night.targets):
        parts.append(capped([_mark(night, target) for target in challenger.targets], _REST))
    else:
        for target in challenger.targets:
            parts += [heading(target.name, level=3), *_target(night, target)]
    return "\n\n".join(parts)


def are_marks(targets: Sequence[Target] | Sequence[TargetScore]) -> bool:
    """Whether only the presence of each label counts, so one line tells all of it."""
    return len(targets) > 1 and all(target.is_flag for target in targets)


def _model(night: Night, role: str) -> Row:
    card = night.judgement.cards[role]
    row = {
        "model": night.judgement.contender if role == "challenger" else role,
        night.objective: interval(card.score),
    }
    if night.objective != "macro-F1":
        row["macro-F1"] = interval(card.macro_f1)
    row["on its training rows"] = figure(_train_score(night, role))
    return row | _figures(card) | {"ms a row": figure(card.latency_ms)}


def _figures(card: Scorecard) -> Row:
    if len(card.targets) > 1:
        return {"every target right": figure(card.exact_match)}
    (target,) = card.targets
    return {
        "accuracy": figure(target.accuracy),
        "balanced accuracy": figure(target.balanced_accuracy),
        "log loss": figure(target.log_loss),
        "ECE": figure(target.ece),
        "worst class ECE": figure(target.class_ece),
        "ROC-AUC": figure(target.roc_auc),
        "PR-AUC": figure(target.average_precision),
    }


def _train_score(night: Night, role: str) -> float | None:
    """Tonight's fits only; the champion's training rows are not read again."""
    named = {"challenger": night.judgement.contender, "baseline": BASELINE}
    named |= {"finalist": next((n for n in night.fits if n != BASELINE), "")}
    fit = night.fits.get(named.get(role, ""))
    return fit.train_score if fit else None


def _side_by_side(night: Night) -> list[Ranked]:
    """Each target's score by each model, and how it changed; what changed most ranks first."""
    changes = {change.name: change.score for change in night.judgement.verdict.target_changes}
    cards = night.judgement.cards
    return [
        (
            -abs(changes[target.name].value) if target.name in changes else 0.0,
            {"target": target.name}
            | {role: figure(card.targets[place].score.value) for role, card in cards.items()}
            | {_against(night.objective, night): interval(changes.get(target.name), signed=True)},
        )
        for place, target in enumerate(cards["challenger"].targets)
    ]


def _target(night: Night, target: TargetScore) -> list[str]:
    """The classes of one target, and who is taken for whom."""
    changes = {c.name: c for c in night.judgement.verdict.class_changes if c.target == target.name}
    rows = [
        _ranked({"class": score.name}, score, changes.get(score.name), night)
        for score in target.classes
    ]
    return [capped(rows, _REST), _confusion(target)]


def _confusion(target: TargetScore) -> str:
    """The whole table; of very many classes the commonest mistakes."""
    names = [score.name for score in target.classes]
    if len(names) <= MOST_LINES:
        return table(
            [
                {"is / decided as": name} | dict(zip(names, map(str, row), strict=True))
                for name, row in zip(names, target.confusion, strict=True)
            ]
        )
    mistakes = [
        (count, {"is": names[i], "decided as": names[j], "rows": str(count)})
        for i, row in enumerate(target.confusion)
        for j, count in enumerate(row)
        if count and i != j
    ]
    mistakes.sort(key=lambda mistake: -mistake[0])
    ranked = [(float(-count), told) for count, told in mistakes]
    return capped(ranked, "kinds of mistakes, see confusion in night.json")


def _mark(night: Night, target: TargetScore) -> Ranked:
    changes = night.judgement.verdict.class_changes
    change = next((change for change in changes if change.target == target.name), None)
    return _ranked({"label": target.name}, target.classes[1], change, night)


def _ranked(name: Row, score: ClassScore, change: ClassChange | None, night: Night) -> Ranked:
    """A line of a class; what changed most ranks first, then what is rare."""
    rank = (-abs(change.f1.value) if change else 0.0) + score.support * 1e-12
    return rank, name | _measured(score) | _changed(change, night)


def _measured(score: ClassScore) -> Row:
    return {
        "rows": str(score.support),
        "decided": str(score.predicted),
        "right": str(score.hits),
        "precision": figure(score.precision),
        "recall": figure(score.recall),
        "F1": figure(score.f1),
        "PR-AUC": figure(score.average_precision),
        "ROC-AUC": figure(score.roc_auc),
    }


def _changed(change: ClassChange | None, night: Night) -> Row:
    more = (
        f"; about {amount(change.more_rows, 'more row')} would tell"
        if change and change.more_rows
        else ""
    )
    told = "-" if change is None else f"{change.f1.text(signed=True)}{more}"
    return {_against("F1", night): told}


def _against(what: str, night: Night) -> str:
    return f"{what} change against {night.judgement.verdict.reference}"
