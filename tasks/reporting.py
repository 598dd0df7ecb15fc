"""The night told to people: one page on the flow run, rendered from the night's record."""

import html
import json
from collections.abc import Iterable, Mapping

from prefect import task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.cache_policies import NO_CACHE

from learning.plots import confusion_picture, study_picture
from schemas.knobs import Setting
from schemas.night import BASELINE, Night
from schemas.results import ClassScore, Interval, Scorecard
from schemas.trials import StudyResult, TrialRecord

_LEADERS = 15


@task(name="report", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def report(night: Night) -> None:
    """The night's page, its leaderboard and the way to MLflow, as artifacts of the flow run."""
    key = night.plan.replace("_", "-")
    create_markdown_artifact(key=f"night-{key}", markdown=page(night), description=headline(night))
    create_table_artifact(
        key=f"leaderboard-{key}",
        table=leaderboard(night.studies),
        description="Best trials of all families; macro-F1 out of fold, after offsets",
    )
    if night.mlflow_link:
        text = "This night in MLflow: studies, trials, pictures, the model"
        create_link_artifact(key=f"mlflow-{key}", link=night.mlflow_link, link_text=text)


def headline(night: Night) -> str:
    """The night in one line."""
    score = night.judgement.cards["challenger"].macro_f1
    return (
        f"{night.judgement.verdict.decision}: {night.judgement.contender}, "
        f"macro-F1 {_interval(score)} on {night.judgement.rows} holdout rows"
    )


def page(night: Night) -> str:
    """What was new, what was tried, what was found, and why this verdict; GitHub Markdown."""
    return "\n\n".join(
        [
            f"# {night.plan}: {headline(night)}",
            "## Why this verdict",
            _bullets([*night.judgement.verdict.reasons, *night.judgement.notes, *night.notes]),
            _champions(night),
            "## What was new",
            _news(night),
            "## What was tried",
            _methods(night),
            _table(leaderboard(night.studies)),
            _bullets(
                f"{study.family}: {len(study.trials)} trials in {study.seconds:.0f} s"
                + (f" ({study.resumed} kept from an earlier run)" if study.resumed else "")
                + (f"; {study.last_gain}" if study.last_gain else "")
                for study in night.studies
            ),
            "## What was found",
            _cards(night),
            _classes(night),
            _confusion(night),
            "## Where the time went",
            _table(
                [
                    {"stage": stage, "seconds": f"{seconds:.1f}"}
                    for stage, seconds in night.stage_seconds.items()
                ]
            ),
        ]
    )


def leaderboard(studies: Iterable[StudyResult]) -> list[dict[str, str]]:
    """The best trials over all families, best first; after them those cut off, on fewer folds."""
    scored = [
        (study.family, trial, trial.score)
        for study in studies
        for trial in study.trials
        if trial.state == "COMPLETE" and trial.score is not None
    ]
    scored.sort(key=lambda entry: (entry[1].cut_off, -entry[2]))
    return [
        {
            "rank": str(rank),
            "family": family,
            "trial": str(trial.number),
            "macro-F1": f"{score:.4f}",
            "arg max": _figure(trial.plain_score),
            "log loss": _figure(trial.log_loss),
            "folds": " ".join(f"{fold:.4f}" for fold in trial.fold_scores),
            "seconds": f"{trial.seconds:.1f}",
            "settings": _settings(trial),
        }
        for rank, (family, trial, score) in enumerate(scored[:_LEADERS], start=1)
    ]


def metrics(night: Night) -> dict[str, float | None]:
    """Every figure of the scorecards under one flat name each, as MLflow and metrics.json want."""
    flat: dict[str, float | None] = {}
    for role, card in night.judgement.cards.items():
        prefix = "" if role == "challenger" else f"{role}_"
        flat |= {f"{prefix}{name}": figure for name, figure in _flat(card)}
    for study in night.studies:
        best = study.best.score if study.best else None
        flat[f"best_val_macro_f1_{study.family}"] = best
    for name, fit in night.fits.items():
        flat[f"train_macro_f1_{_metric_name(name)}"] = fit.train_score
    if night.judgement.verdict.difference is not None:
        difference = night.judgement.verdict.difference
        flat |= {
            "difference_macro_f1": difference.value,
            "difference_macro_f1_low": difference.low,
            "difference_macro_f1_high": difference.high,
        }
    return flat


def ending_files(night: Night) -> dict[str, bytes]:
    """What can be told only when it is known who is champion: the page and the whole record."""
    return {
        "night.json": night.model_dump_json(indent=2).encode(),
        "report.md": page(night).encode(),
    }


def judgement_files(night: Night) -> dict[str, bytes]:
    """What is known once the models were judged: figures, tables and pictures."""
    files = {
        "metrics.json": json.dumps(metrics(night), indent=2).encode(),
        "trials.png": study_picture({study.family: _by_time(study) for study in night.studies}),
    }
    for role, card in night.judgement.cards.items():
        title = f"{night.plan}: {role}"
        files[f"{role}/confusion_matrix.png"] = confusion_picture(card, title)
        files[f"{role}/classes.csv"] = _class_csv(card.classes).encode()
    return files


def _champions(night: Night) -> str:
    before, after = night.champion_before, night.champion_after
    link = f" [This night in MLflow]({night.mlflow_link})." if night.mlflow_link else ""
    if before == after:
        return f"Champion: {_version(after)}, unchanged.{link}"
    return f"Champion: {_version(after)}, before {_version(before)}.{link}"


def _news(night: Night) -> str:
    changes, rows = night.changes, night.rows
    lines = [
        f"{night.objects} objects: {len(changes.new)} new, {len(changes.changed)} changed, "
        f"{len(changes.vanished)} vanished since the last finished night",
        f"{rows.n_train} rows to train on, {rows.n_holdout} in the holdout",
        *(f"{count} rows dropped: {rule}" for rule, count in rows.dropped.items() if count),
    ]
    if night.judgement.excluded:
        lines.append(
            f"{night.judgement.excluded} holdout rows set aside: a judged model was trained on "
            "their group"
        )
    shares = [
        {
            "class": html.escape(text),
            "train": str(train),
            "share": f"{train / max(1, rows.n_train):.1%}",
            "holdout": str(holdout),
        }
        for text, train, holdout in zip(
            night.class_texts, rows.train_counts, rows.holdout_counts, strict=True
        )
    ]
    return f"{_bullets(lines)}\n\n{_table(shares)}"


def _methods(night: Night) -> str:
    return _table(
        [
            {
                "imbalance method": m.method,
                "macro-F1": _figure(m.score),
                "95 %": "-" if m.low is None else f"{m.low:.4f} to {_figure(m.high)}",
                "without offsets": _figure(m.plain_score),
                "log loss": _figure(m.log_loss),
                "searched": "yes" if m.kept else "no",
                "note": html.escape(m.note) or "-",
            }
            for m in night.methods
        ]
    )


def _cards(night: Night) -> str:
    return _table(
        [
            {
                "model": night.judgement.contender if role == "challenger" else role,
                "macro-F1": _interval(card.macro_f1),
                "on its training rows": _figure(_train_score(night, role)),
                "accuracy": f"{card.accuracy:.4f}",
                "balanced accuracy": f"{card.balanced_accuracy:.4f}",
                "log loss": f"{card.log_loss:.4f}",
                "ECE": f"{card.ece:.4f}",
                "ROC-AUC": _figure(card.roc_auc),
                "ms a row": _figure(card.latency_ms),
            }
            for role, card in night.judgement.cards.items()
        ]
    )


def _train_score(night: Night, role: str) -> float | None:
    """Tonight's fits only; the champion's training rows are not read again."""
    named = {"challenger": night.judgement.contender, "baseline": BASELINE}
    named |= {"finalist": next((n for n in night.fits if n != BASELINE), "")}
    fit = night.fits.get(named.get(role, ""))
    return fit.train_score if fit else None


def _classes(night: Night) -> str:
    changes = {change.name: change.f1 for change in night.judgement.verdict.class_changes}
    return _table(
        [
            {
                "class": html.escape(score.name),
                "rows": str(score.support),
                "precision": _figure(score.precision),
                "recall": _figure(score.recall),
                "F1": _figure(score.f1),
                "average precision": _figure(score.average_precision),
                f"F1 change against {html.escape(night.judgement.verdict.reference)}": (
                    _interval(changes[score.name], "+.4f") if score.name in changes else "-"
                ),
            }
            for score in night.judgement.cards["challenger"].classes
        ]
    )


def _confusion(night: Night) -> str:
    texts = [html.escape(text) for text in night.class_texts]
    return _table(
        [
            {"is / decided as": text} | {t: str(n) for t, n in zip(texts, row, strict=True)}
            for text, row in zip(texts, night.judgement.cards["challenger"].confusion, strict=True)
        ]
    )


def _by_time(study: StudyResult) -> list[tuple[float, float]]:
    """Each score at the seconds of fitting and predicting that its family had spent by then."""
    spent, found = 0.0, []
    for trial in study.trials:
        spent += trial.seconds
        if trial.score is not None:
            found.append((spent, trial.score))
    return found


def _flat(card: Scorecard) -> Iterable[tuple[str, float | None]]:
    yield "macro_f1", card.macro_f1.value
    yield "macro_f1_low", card.macro_f1.low
    yield "macro_f1_high", card.macro_f1.high
    for name in ("accuracy", "balanced_accuracy", "log_loss", "brier", "ece", "roc_auc"):
        yield name, getattr(card, name)
    yield "average_precision", card.average_precision
    yield "latency_ms", card.latency_ms
    for score in card.classes:
        for name in ("precision", "recall", "f1", "average_precision"):
            yield f"{name}_class_{_metric_name(score.name)}", getattr(score, name)


def _class_csv(classes: Iterable[ClassScore]) -> str:
    lines = ["class,support,predicted,precision,recall,f1,average_precision"]
    lines += [
        ",".join(
            [
                _metric_name(c.name),
                str(c.support),
                str(c.predicted),
                *(_figure(v) for v in (c.precision, c.recall, c.f1, c.average_precision)),
            ]
        )
        for c in classes
    ]
    return "\n".join(lines) + "\n"


def _metric_name(text: str) -> str:
    # MLflow takes letters, digits and _-. /: in names; a class text may hold anything.
    return "".join(c if c.isalnum() or c in "-_. " else "_" for c in text)


def _settings(trial: TrialRecord) -> str:
    def short(setting: Setting) -> str:
        return f"{setting:.4g}" if isinstance(setting, float) else str(setting)

    return ", ".join(f"{name.split('.')[-1]}={short(v)}" for name, v in trial.params.items())


def _interval(interval: Interval, form: str = ".4f") -> str:
    return f"{interval.value:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def _figure(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"


def _version(number: int | None) -> str:
    return "none" if number is None else f"version {number}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {html.escape(line)}" for line in lines)


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return "(nothing)"
    lines = [_line(rows[0]), f"|{'---|' * len(rows[0])}"]
    lines += [_line(row.values()) for row in rows]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    # A class may be named with a bar or a line break, which would end its cell.
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"


def tags(night: Night) -> Mapping[str, str]:
    """What MLflow's search can find the night by."""
    return {
        "verdict": night.judgement.verdict.decision,
        "contender": night.judgement.contender,
        "manifest": night.manifest_digest,
        "champion_before": str(night.champion_before or ""),
    }
