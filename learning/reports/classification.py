"""The classification report as scikit-learn writes it, from a scorecard instead of rows."""

from collections.abc import Sequence

from schemas.results import ClassScore, TargetScore

DIGITS = 4
_COLUMNS = ("precision", "recall", "f1-score", "support")


def classification_report(target: TargetScore) -> str:
    """Letter for letter `sklearn.metrics.classification_report(..., zero_division=nan)`."""
    lines = [_line(target.classes[c].name, target.classes[c]) for c in range(len(target.classes))]
    accuracy = ("accuracy", ("", "", f"{target.accuracy:.{DIGITS}f}", str(target.rows)))
    return _report(lines, [accuracy, *_averages(target.classes)])


def label_report(targets: Sequence[TargetScore]) -> str:
    """Of many labels on one row: a line a label, its figures those of the class that counts."""
    scores = [target.classes[1] for target in targets]
    lines = [_line(target.name, score) for target, score in zip(targets, scores, strict=True)]
    return _report(lines, [_micro(scores), *_averages(scores)])


Line = tuple[str, tuple[str, ...]]


def _line(name: str, score: ClassScore) -> Line:
    told = (_told(score.precision), _told(score.recall), _told(score.f1), str(score.support))
    return " ".join(name.split()), told


def _micro(scores: Sequence[ClassScore]) -> Line:
    hits, decided = sum(s.hits for s in scores), sum(s.predicted for s in scores)
    support = sum(s.support for s in scores)
    shares = ((hits, decided), (hits, support), (2 * hits, decided + support))
    told = [_told(part / whole if whole else None) for part, whole in shares]
    return "micro avg", (*told, str(support))


def _averages(scores: Sequence[ClassScore]) -> list[Line]:
    """Means of what is defined: of the classes alike, and by their rows."""
    support = [score.support for score in scores]
    figures = [
        [score.precision for score in scores],
        [score.recall for score in scores],
        [score.f1 for score in scores],
    ]
    rows = str(sum(support))
    alike, by_rows = (
        tuple(_told(_mean(each, weights)) for each in figures)
        for weights in ([1] * len(scores), support)
    )
    return [("macro avg", (*alike, rows)), ("weighted avg", (*by_rows, rows))]


def _mean(figures: Sequence[float | None], weights: Sequence[int]) -> float | None:
    known = [(f, w) for f, w in zip(figures, weights, strict=True) if f is not None]
    total = sum(weight for _, weight in known)
    return sum(f * w for f, w in known) / total if total else None


def _told(figure: float | None) -> str:
    return "nan" if figure is None else f"{figure:.{DIGITS}f}"


def _report(lines: Sequence[Line], below: Sequence[Line]) -> str:
    width = max(len("weighted avg"), *(len(name) for name, _ in lines))
    head = f"{'':>{width}} " + "".join(f" {column:>9}" for column in _COLUMNS)
    parts = [[head], [_aligned(line, width) for line in lines]]
    parts.append([_aligned(line, width) for line in below])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _aligned(line: Line, width: int) -> str:
    name, cells = line
    return f"{name:>{width}} " + "".join(f" {cell:>9}" for cell in cells)
