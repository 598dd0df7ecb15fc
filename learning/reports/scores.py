"""What was found, as tables: the models side by side, then each target by its classes."""

from collections.abc import Sequence

from learning.reports.markdown import figure, heading, interval, table
from schemas.label import Target
from schemas.night import BASELINE, Night
from schemas.results import ClassChange, ClassScore, Scorecard, TargetScore

Row = dict[str, str]


def found(night: Night) -> str:
    """All tables of the holdout: of one label, of several, or of many that are there or not."""
    challenger = night.judgement.cards["challenger"]
    parts = [table([_model(night, role) for role in night.judgement.cards])]
    if len(challenger.targets) == 1:
        return "\n\n".join([*parts, *_target(night, challenger.targets[0])])
    parts.append(table(_side_by_side(night)))
    if are_marks(night.targets):
        parts.append(table([_mark(night, target) for target in challenger.targets]))
    else:
        for target in challenger.targets:
            parts += [heading(target.name, level=3), *_target(night, target)]
    return "\n\n".join(parts)


def are_marks(targets: Sequence[Target] | Sequence[TargetScore]) -> bool:
    """Whether only the presence of each label counts, so one line tells all of it."""
    return len(targets) > 1 and all(len(target.counted) == 1 for target in targets)


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


def _side_by_side(night: Night) -> list[Row]:
    """Each target's score by each model, and how it changed."""
    changes = {change.name: change.score for change in night.judgement.verdict.target_changes}
    cards = night.judgement.cards
    return [
        {"target": target.name}
        | {role: figure(card.targets[place].score.value) for role, card in cards.items()}
        | {_against(night.objective, night): interval(changes.get(target.name), "+.4f")}
        for place, target in enumerate(cards["challenger"].targets)
    ]


def _target(night: Night, target: TargetScore) -> list[str]:
    """The classes of one target, and who is taken for whom."""
    names = [score.name for score in target.classes]
    confusion = [
        {"is / decided as": name} | {n: str(count) for n, count in zip(names, row, strict=True)}
        for name, row in zip(names, target.confusion, strict=True)
    ]
    rows = [_class(night, target, score) for score in target.classes]
    return [table(rows), table(confusion)]


def _class(night: Night, target: TargetScore, score: ClassScore) -> Row:
    return {"class": score.name} | _measured(score) | _changed(night, target, score)


def _mark(night: Night, target: TargetScore) -> Row:
    score = target.classes[target.counted[0]]
    return {"label": target.name} | _measured(score) | _changed(night, target, score)


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


def _changed(night: Night, target: TargetScore, score: ClassScore) -> Row:
    change: ClassChange | None = next(
        (
            change
            for change in night.judgement.verdict.class_changes
            if (change.target, change.name) == (target.name, score.name)
        ),
        None,
    )
    more = f"; about {change.more_rows} more rows would tell" if change and change.more_rows else ""
    told = "-" if change is None else f"{interval(change.f1, '+.4f')}{more}"
    return {_against("F1", night): told}


def _against(what: str, night: Night) -> str:
    return f"{what} change against {night.judgement.verdict.reference}"
