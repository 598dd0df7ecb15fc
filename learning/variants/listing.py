"""Which recipes a comparison of one factor at a time asks for.

The base has every knob at rest and leaves imbalance to the offsets; each variant changes exactly
one factor of it, so its difference is that factor's.
"""

from collections.abc import Iterator, Mapping, Sequence

from learning.searching.space import (
    IMBALANCE,
    Point,
    Space,
    candidate,
    completed,
    first_points,
    middle,
    space,
)
from schemas.dataset import Column
from schemas.faults import PlanError
from schemas.knobs import OpenKnob, Range, Setting, open_knobs, settle
from schemas.plan import Family
from schemas.samplers import (
    Adasyn,
    ClassWeights,
    Imbalance,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Smote,
    SmoteEnn,
)
from schemas.trials import Candidate
from schemas.variants import Variant

BASE = "base"
LISTED: tuple[Imbalance, ...] = (
    NoResampling(),
    ClassWeights(),
    RandomUndersampling(),
    RandomOversampling(),
    Smote(),
    Adasyn(),
    SmoteEnn(),
)
"""Methods that every comparison of `imbalance` tries, whatever the plan lists."""

_ALL_DIGITS = 17
"""No two floats are alike in so many."""


def variants(
    family: Family,
    imbalance: Sequence[Imbalance],  # the plan's methods
    columns: Mapping[str, Column],
    asked: Sequence[str] = (),  # factors, or the ends or beginnings of their paths; none is all
) -> tuple[Variant, ...]:
    """The base, then one variant for each other setting of each factor.

    Of `imbalance` that is each method, of choices each choice, of a range its ends and middle.

    Raises
    ------
    PlanError
        Something was asked for that is no factor of this family.
    """
    knobs = space(family, columns, [NoResampling()])
    point = _at_rest(family, knobs)
    base = candidate(family, [NoResampling()], point)
    found = [Variant(name=BASE, candidate=base)]
    known = list(knobs) if family.classifier.reads_text else [IMBALANCE, *knobs]
    for factor in _factors(known, asked, family.classifier.kind):
        made = (
            _methods(base, imbalance)
            if factor == IMBALANCE
            else _settings(family, point, factor, knobs[factor])
        )
        for setting, recipe in made:
            if all(recipe != variant.candidate for variant in found):
                name = f"{factor}={setting}"
                found.append(Variant(name=name, factor=factor, setting=setting, candidate=recipe))
    return tuple(found)


def _at_rest(family: Family, knobs: Space) -> Point:
    """The strong one of the family's first points; first choices and middles for what it lacks."""
    points = first_points(family, knobs)
    return points[1] if len(points) > 1 else points[0] if points else completed({}, knobs)


def _factors(known: Sequence[str], asked: Sequence[str], kind: str) -> list[str]:
    """Classifier before features: variants that share features are fitted one after the other."""
    ordered = sorted(known, key=lambda path: (path.startswith("features."), path != IMBALANCE))
    chosen: set[str] = set()
    for name in asked:
        meant = {path for path in known if f".{name}." in f".{path}."}
        if not meant:
            raise PlanError(
                f"--factor: expected one of {', '.join(ordered)}, or a part of such a path, got "
                f"{name!r}. {kind} has no open knob of that name."
            )
        chosen |= meant
    return [path for path in ordered if path in chosen or not asked]


def _methods(base: Candidate, planned: Sequence[Imbalance]) -> Iterator[tuple[str, Candidate]]:
    """The plan's methods at rest, and those that we always list as they are."""
    for method in (*planned, *LISTED):
        knobs = open_knobs(method)
        settled = settle(method, {path: middle(knob) for path, knob in knobs.items()})
        usual = type(method)()
        set_so = {
            name: setting
            for name, setting in settled.model_dump().items()
            if setting != getattr(usual, name)
        }
        told = ", ".join(f"{name}={_text(setting)}" for name, setting in set_so.items())
        recipe = base.model_copy(update={"imbalance": settled})
        yield method.kind + (f" ({told})" if told else ""), recipe


def _settings(
    family: Family, point: Point, path: str, knob: OpenKnob
) -> Iterator[tuple[str, Candidate]]:
    settings = _spread(knob)
    for setting, text in zip(settings, _texts(settings), strict=True):
        yield text, candidate(family, [NoResampling()], {**point, path: setting})


def _spread(knob: OpenKnob) -> tuple[Setting, ...]:
    return (knob.low, middle(knob), knob.high) if isinstance(knob, Range) else knob


def _texts(settings: Sequence[Setting]) -> list[str]:
    """Four digits of a number, or as many as tell the settings apart: names are all different."""
    for digits in range(4, _ALL_DIGITS):
        texts = [_text(setting, digits) for setting in settings]
        if len(set(texts)) >= len(set(settings)):
            return texts
    return [_text(setting, _ALL_DIGITS) for setting in settings]


def _text(setting: Setting, digits: int = 4) -> str:
    return f"{setting:.{digits}g}" if isinstance(setting, float) else str(setting)
