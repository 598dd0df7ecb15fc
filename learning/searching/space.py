"""A family's open knobs as one flat search space, and points of it as candidates.

Every knob is suggested in every trial, also where another knob makes it idle (the exponent of
class weights under SMOTE): TPE's joint model covers only knobs that all trials have in common.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod, sqrt
from typing import Any

import optuna
from pydantic import BaseModel

from schemas.dataset import CategoryColumn, Column, EmbeddingColumn, NumberColumn, TextColumn
from schemas.faults import PlanError
from schemas.knobs import OpenKnob, Range, Setting, open_knobs, settle
from schemas.plan import Family
from schemas.samplers import Imbalance, NoResampling
from schemas.trials import Candidate

Space = dict[str, OpenKnob]
Point = dict[str, Setting]

IMBALANCE = "imbalance"
"""The knob that chooses among the kept methods, by kind."""

_ROLES = {
    "text": TextColumn,
    "number": NumberColumn,
    "category": CategoryColumn,
    "embedding": EmbeddingColumn,
}
"""Those with knobs; booleans and times have none."""


def space(family: Family, columns: Mapping[str, Column], kept: Sequence[Imbalance]) -> Space:
    """Open knobs by dotted path; those of features that no column needs are left out, and all but
    its own of a classifier that reads the text itself.
    """
    found = {f"classifier.{path}": knob for path, knob in open_knobs(family.classifier).items()}
    if family.classifier.reads_text:
        return {path: knob for path, knob in found.items() if not _one_choice(knob)}
    for role, kind in _ROLES.items():
        if any(isinstance(column, kind) for column in columns.values()):
            inner = open_knobs(getattr(family.features, role))
            found |= {f"features.{role}.{path}": knob for path, knob in inner.items()}
    if len(kept) > 1:
        found[IMBALANCE] = tuple(method.kind for method in kept)
    for method in kept:
        inner = open_knobs(method)
        found |= {f"{IMBALANCE}.{method.kind}.{path}": knob for path, knob in inner.items()}
    return {path: knob for path, knob in found.items() if not _one_choice(knob)}


def candidate(family: Family, kept: Sequence[Imbalance], point: Mapping[str, Setting]) -> Candidate:
    """The recipe at a point; a knob that the point lacks takes its first choice or low end."""
    if family.classifier.reads_text:
        kept = [NoResampling()]
    method = next((m for m in kept if m.kind == point.get(IMBALANCE)), kept[0])
    return Candidate(
        features=_settled(family.features, "features.", point),
        imbalance=_settled(method, f"{IMBALANCE}.{method.kind}.", point),
        classifier=_settled(family.classifier, "classifier.", point),
    )


def all_settings(candidate: Candidate, columns: Mapping[str, Column]) -> Point:
    """Every setting of a recipe by dotted path, not those that the columns or classifier let be."""
    if candidate.classifier.reads_text:
        return dict(_leaves(candidate.classifier, "classifier."))
    found = dict(_leaves(candidate))
    idle = tuple(
        f"features.{role}."
        for role, kind in _ROLES.items()
        if not any(isinstance(column, kind) for column in columns.values())
    )
    return {path: setting for path, setting in found.items() if not path.startswith(idle)}


def suggest(trial: optuna.Trial, knobs: Space) -> Point:
    """A setting for every open knob."""
    return {path: _suggested(trial, path, knob) for path, knob in knobs.items()}


def first_points(family: Family, knobs: Space) -> list[Point]:
    """The classifier's own first points, complete."""
    given = [{f"classifier.{k}": v for k, v in point.items()} for point in family.classifier.first]
    return [completed(point, knobs) for point in given]


def completed(point: Mapping[str, Setting], knobs: Space) -> Point:
    """A point of this space near one of another: last night's, whose ranges may have moved.

    Knobs unknown here are dropped, lacking ones filled (first choice; middle of a range), numbers
    pulled into the range, choices that are gone replaced by the first.
    """
    return {
        path: _nearest(point[path], knob) if path in point else middle(knob)
        for path, knob in knobs.items()
    }


def grid(knobs: Space, most: int) -> list[Point] | None:
    """Every point, if they are countable and at most `most`; None otherwise."""
    settings = {path: _settings(knob, most) for path, knob in knobs.items()}
    listed = {path: values for path, values in settings.items() if values is not None}
    if len(listed) < len(settings) or prod(map(len, listed.values())) > most:
        return None
    return [dict(zip(listed, point, strict=True)) for point in product(*listed.values())]


def combinations(knobs: Space) -> Iterator[Point]:
    """Every point of a space of choices and whole numbers, one by one: the last knob turns first.

    Raises
    ------
    PlanError
        A knob has a range of numbers between which there are always more.
    """
    settings = {path: _settings(knob, sys.maxsize) for path, knob in knobs.items()}
    endless = sorted(path for path, values in settings.items() if values is None)
    if endless:
        raise PlanError(
            "search.method: grid tries every combination and needs knobs that can be counted; "
            f"expected lists of choices, got a range of numbers at {', '.join(endless)}. List "
            "the choices in the plan, such as [0.1, 1.0, 10.0], or search by tpe or random."
        )
    listed = {path: values for path, values in settings.items() if values is not None}
    return (dict(zip(listed, point, strict=True)) for point in product(*listed.values()))


def middle(knob: OpenKnob) -> Setting:
    """The first choice, or the middle of a range: the geometric one where it is searched by log."""
    if isinstance(knob, tuple):
        return knob[0]
    return _nearest(sqrt(knob.low * knob.high) if knob.log else (knob.low + knob.high) / 2, knob)


def _leaves(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Setting]]:
    for name in type(model).model_fields:
        yield from _leaf(getattr(model, name), f"{prefix}{name}")


def _leaf(inner: object, path: str) -> Iterator[tuple[str, Setting]]:
    if isinstance(inner, BaseModel):
        yield from _leaves(inner, f"{path}.")
    elif isinstance(inner, dict):
        for name, setting in inner.items():
            yield from _leaf(setting, f"{path}.{name}")
    elif inner is None or isinstance(inner, bool | int | float | str):
        yield path, inner  # tuples are points to start from, not settings


def _one_choice(knob: OpenKnob) -> bool:
    return isinstance(knob, tuple) and len(knob) == 1


def _settled(model: Any, prefix: str, point: Mapping[str, Setting]) -> Any:
    chosen: Point = {}
    for path, knob in open_knobs(model).items():
        at_rest = knob.low if isinstance(knob, Range) else knob[0]
        chosen[path] = point.get(f"{prefix}{path}", at_rest)
    return settle(model, chosen)


def _suggested(trial: optuna.Trial, path: str, knob: OpenKnob) -> Setting:
    if isinstance(knob, tuple):
        return trial.suggest_categorical(path, knob)
    if isinstance(knob.low, int):
        return trial.suggest_int(path, knob.low, knob.high, log=knob.log)
    return trial.suggest_float(path, knob.low, knob.high, log=knob.log)


def _nearest(wanted: Setting, knob: OpenKnob) -> Setting:
    if isinstance(knob, tuple):
        same = (choice for choice in knob if choice == wanted and type(choice) is type(wanted))
        return next(same, knob[0])
    if not isinstance(wanted, int | float) or isinstance(wanted, bool):
        return middle(knob)
    whole = round(wanted) if isinstance(knob.low, int) else float(wanted)
    pulled: Setting = min(max(whole, knob.low), knob.high)
    return pulled


def _settings(knob: OpenKnob, most: int) -> Sequence[Setting] | None:
    if isinstance(knob, tuple):
        return knob
    if isinstance(knob.low, int) and knob.high - knob.low < most:
        return range(knob.low, knob.high + 1)
    return None
