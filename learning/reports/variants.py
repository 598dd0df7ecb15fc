"""A comparison of variants as rows of a table, files and flat figures."""

import csv
import io

from learning.reports.names import metric_names, slug
from learning.reports.texts import figure, interval
from schemas.results import Interval
from schemas.variants import VariantScore, VariantTable

_COLUMNS = ("variant", "factor", "setting", "standing", "repeats")
_FIGURES = (
    "score", "score_low", "score_high", "plain_score", "difference", "difference_low",
    "difference_high", "accuracy", "macro_f1", "seconds",
)  # fmt: skip
_OF_CLASS = ("precision", "recall", "f1")


def variant_files(table: VariantTable) -> dict[str, bytes]:
    """The table as CSV, a line a variant, and as JSON with every recipe."""
    return {
        "variants.csv": _csv(table).encode(),
        "variants.json": table.model_dump_json(indent=2).encode(),
    }


def variant_rows(table: VariantTable) -> list[dict[str, str]]:
    """A row a variant, as a person reads it."""
    return [
        {
            "variant": score.variant.name,
            table.objective: interval(score.score),
            "difference to base": interval(score.difference, signed=True),
            "standing": score.standing,
            "without offsets": figure(score.plain_score),
            "accuracy": figure(score.accuracy),
            "macro-F1": figure(score.macro_f1),
            "seconds": f"{score.seconds:.1f}",
            "note": score.note or "-",
        }
        for score in table.scores
    ]


def variant_metrics(score: VariantScore, objective: str) -> dict[str, float | None]:
    """Every figure of a variant under one flat name each, as MLflow wants them."""
    figures = _figures(score) | dict(zip(_class_names(score), _class_figures(score), strict=True))
    name = slug(objective)
    renamed = {"score": f"val_{name}", "plain_score": f"val_{name}_argmax"}
    return {"val_score": figures["score"]} | {
        renamed.get(key, key): figure for key, figure in figures.items()
    }


def _csv(table: VariantTable) -> str:
    told = io.StringIO()
    write = csv.writer(told, lineterminator="\n")
    widest = max(table.scores, key=lambda score: len(score.classes))
    write.writerow([*_COLUMNS, *_FIGURES, *_class_names(widest), "note"])
    for score in table.scores:
        variant, figures = score.variant, _figures(score)
        asked = [variant.name, variant.factor, variant.setting, score.standing, score.repeats]
        of_classes = _class_figures(score) or [None] * len(_class_names(widest))
        write.writerow([*asked, *(figures[name] for name in _FIGURES), *of_classes, score.note])
    return told.getvalue()


def _figures(score: VariantScore) -> dict[str, float | None]:
    return {
        **_ends("score", score.score),
        "plain_score": score.plain_score,
        **_ends("difference", score.difference),
        "accuracy": score.accuracy,
        "macro_f1": score.macro_f1,
        "seconds": score.seconds,
    }


def _ends(name: str, figure: Interval | None) -> dict[str, float | None]:
    if figure is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}


def _class_names(score: VariantScore) -> list[str]:
    several = len({each.target for each in score.classes}) > 1
    texts = [f"{each.target} {each.name}" if several else each.name for each in score.classes]
    return [f"{figure}_class_{name}" for name in metric_names(texts) for figure in _OF_CLASS]


def _class_figures(score: VariantScore) -> list[float | None]:
    return [getattr(each, figure) for each in score.classes for figure in _OF_CLASS]
