"""What a night hands to the next: the settings of each family's best trials, to be tried again.

Values are scored anew on tonight's data; last night's scores are not comparable and are not kept.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from schemas.knobs import Setting
from schemas.trials import StudyResult

Points = dict[str, list[dict[str, Setting]]]


def best_points(path: Path) -> Points:
    """Settings by family, best first; none where no night was kept or the file is damaged."""
    try:
        kept = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {family: list(points) for family, points in kept.items()}


def keep_best_points(path: Path, studies: Iterable[StudyResult], most: int) -> None:
    """Replace each studied family's points by its best trials of tonight, if any has a score."""
    points = best_points(path)
    for study in studies:
        scored = [trial for trial in study.trials if trial.score is not None]
        scored.sort(key=lambda trial: (trial.cut_off, -(trial.score or 0.0)))
        if scored:
            points[study.family] = [trial.params for trial in scored[:most]]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(points, indent=2))
    fresh.replace(path)
