"""What two kept models do not share, group by group: whether a difference has one cause."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from learning.reports.texts import setting_text
from schemas.comparison import Attribution, SettingChange
from schemas.dataset import Column
from schemas.knobs import Setting
from schemas.label import Target
from schemas.night import Night

GROUPS = (
    "features",
    "imbalance",
    "classifier",
    "encoder",
    "head",
    "loss",
    "sampling",
    "training",
    "calibration",
    "data",
)
_PLACES = {
    "features.": "features",
    "imbalance.": "imbalance",
    "classifier.encoder.": "encoder",
    "classifier.max_tokens": "encoder",
    "classifier.head.": "head",
    "classifier.loss.": "loss",
    "classifier.tasks.": "loss",
    "classifier.sampling.": "sampling",
    "classifier.training.": "training",
    "classifier.": "classifier",
}


@dataclass(frozen=True)
class Made:
    """What a model was made with and of, by name, in each group that it has settings in."""

    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def made(
    night: Night, columns: Mapping[str, Column], targets: tuple[Target, ...], digest: str
) -> Made | None:
    """Of the model that this night kept under `digest`; None where it tells of no such model.

    The objective counts to the calibration: decision offsets climb it.
    """
    fit = next((each for each in night.fits.values() if each.digest == digest), None)
    if fit is None:
        return None
    found: dict[str, dict[str, str]] = {}
    for path, setting in fit.settings.items():
        if setting is not None:
            found.setdefault(group_of(path), {})[path] = _told(setting)
    found["calibration"] = {"objective": night.objective} | {
        f"calibration of {choice.target}": choice.kind for choice in fit.calibrations
    }
    found["data"] = {
        "rows": f"{night.rows.n_train:,} ({night.rows.digest[:8]})",
        **{f"column {name}": column.role for name, column in columns.items()},
        **{f"classes of {target.name}": ", ".join(target.class_texts) for target in targets},
    }
    return Made(found)


def group_of(path: str) -> str:
    """The group of a setting by its dotted path.

    >>> group_of("classifier.loss.focal_gamma"), group_of("classifier.C")
    ('loss', 'classifier')
    """
    return next((group for start, group in _PLACES.items() if path.startswith(start)), "classifier")


def changes(first: Made, second: Made) -> tuple[SettingChange, ...]:
    """Every setting that differs or that only one of the two has."""
    return tuple(_changes(first, second))


def attribution(found: tuple[SettingChange, ...]) -> Attribution:
    """One changed group can be the cause; of several nobody can tell which it was."""
    groups = changed_groups(found)
    if not groups:
        return "nothing differs"
    return "attributable" if len(groups) == 1 else "not attributable"


def changed_groups(found: tuple[SettingChange, ...]) -> tuple[str, ...]:
    """In the order of `GROUPS`."""
    changed = {change.group for change in found}
    return tuple(group for group in GROUPS if group in changed)


def _changes(first: Made, second: Made) -> Iterator[SettingChange]:
    for group in GROUPS:
        one, other = first.settings.get(group, {}), second.settings.get(group, {})
        for name in dict.fromkeys((*one, *other)):
            if one.get(name) != other.get(name):
                yield SettingChange(
                    group=group, name=name, first=one.get(name, ""), second=other.get(name, "")
                )


def _told(setting: Setting) -> str:
    # Four digits may hide a difference; where a number needs more, all of them are told.
    short = setting_text(setting)
    return repr(setting) if isinstance(setting, float) and float(short) != setting else short
