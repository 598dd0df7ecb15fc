"""What the contender is: its settings, and how its probabilities came to mean what they say."""

from collections.abc import Iterator

from learning.reports.markdown import MOST_LINES
from learning.reports.readers import reader_lines
from learning.reports.texts import figure, setting_text
from schemas.knobs import Setting
from schemas.night import Night
from schemas.trials import CalibrationChoice, RefitResult


def recipe_lines(night: Night) -> Iterator[str]:
    """The settings in one line, then a line a target on its calibration."""
    fit = contender_fit(night)
    yield f"{night.judgement.contender}: {told_settings(fit.settings)}"
    yield from reader_lines(fit, night.targets)
    several = len(fit.calibrations) > 1
    for choice in fit.calibrations[:MOST_LINES]:
        yield f"{choice.target}: {_told(choice)}" if several else _told(choice)
    if len(fit.calibrations) > MOST_LINES:
        yield f"{len(fit.calibrations) - MOST_LINES} more: see calibrations in night.json"


def contender_fit(night: Night) -> RefitResult:
    """The fit that stands as challenger."""
    return night.fits[night.judgement.contender]


def told_settings(settings: dict[str, Setting]) -> str:
    """`classifier.C=0.12, ...`; what is not set is not told."""
    told = {name: setting for name, setting in settings.items() if setting is not None}
    return ", ".join(f"{name}={setting_text(setting)}" for name, setting in told.items())


def calibration_tag(night: Night) -> str:
    """The kinds alone: `temperature`, or of several targets `mood: temperature; loud: none`."""
    calibrations = contender_fit(night).calibrations
    kinds = [
        f"{choice.kind} after a prior shift" if choice.prior_shift else choice.kind
        for choice in calibrations
    ]
    if len(kinds) == 1:
        return kinds[0]
    named = zip(calibrations, kinds, strict=True)
    return "; ".join(f"{choice.target}: {kind}" for choice, kind in named)


def _told(choice: CalibrationChoice) -> str:
    steps = ["the prior of resampling or weights taken out"] if choice.prior_shift else []
    steps += [] if choice.kind == "none" else [choice.kind]
    return (
        f"calibration: {', then '.join(steps) or 'none'}; ECE out of fold "
        f"{figure(choice.ece_before)} before, {figure(choice.ece_after)} after"
    )
