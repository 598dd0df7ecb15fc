"""What is wrong with a plan, in the words and places of its YAML instead of pydantic's."""

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from deployments.strict_yaml import Document, Place, Tree, dotted, frozen
from learning.reading.wording import amount
from schemas.knobs import Knob, Range, setting_paths, settle
from schemas.plan import Plan
from schemas.replaced import replacement
from schemas.transformers import Transformer

Fault = tuple[Place, str]

_TAGS = ("kind", "role", "by")


def worded(document: Document, faults: Iterable[Fault]) -> str:
    """One line a fault, in the order of the file: path, expected, got, file and line."""
    placed = sorted((document.line(place), dotted(place), told) for place, told in faults)
    lines = [f"\n  {path}: {told} ({document.file}:{line})" for line, path, told in placed]
    return f"{document.file} has {amount(len(lines), 'fault')}:{''.join(lines)}"


def validation_faults(tree: Tree, fault: ValidationError) -> list[Fault]:
    """Every fault of a tree that is no plan.

    Contradictions between settings are only looked for in a tree whose settings are valid by
    themselves, so the faulty ones are taken out and the rest is validated once more.
    """
    own = fault.errors(include_url=False)
    if not isinstance(tree, dict):
        return [((), f"expected settings such as 'name: ...', got {_told(tree)}")]
    return [*(f for error in own for f in _faults(tree, error)), *_contradictions(tree, own)]


def checkable_tree(tree: Tree) -> Tree:
    """The data set and the label of a plan without what is at fault in them.

    Features that had to be taken out stand under `ignore`: that they are in the data is no fault.
    """
    if not isinstance(tree, dict):
        return tree
    part = {"name": "part"} | {key: tree[key] for key in ("dataset", "label") if key in tree}
    pruned = json.loads(json.dumps(part))
    try:
        Plan.model_validate(frozen(part), strict=True)
    except ValidationError as fault:
        for place in _faulty_places(part, fault.errors(include_url=False)):
            _take_out(pruned, place)
            if place[:2] == ("dataset", "columns") and len(place) == 3:
                pruned["dataset"].setdefault("ignore", {})[place[2]] = "at fault"
    return cast(Tree, pruned)


def point_faults(plan: Plan) -> list[Fault]:
    """Points of `first` that name a knob that the classifier lacks, or a setting it refuses."""
    faults: list[Fault] = []
    for i, family in enumerate(plan.families):
        knobs = [k for k in setting_paths(family.classifier) if k not in ("kind", "first")]
        for j, point in enumerate(family.classifier.first):
            place: Place = ("families", i, "classifier", "first", j)
            for knob, setting in point.items():
                try:
                    if knob in knobs:
                        settle(family.classifier, {knob: setting})
                    else:
                        faults.append(((*place, knob), _unlisted(knob, knobs)))
                except ValidationError as fault:
                    told = _expected(fault.errors(include_url=False)[0])
                    faults.append(((*place, knob), told))
    return faults


def _contradictions(tree: Tree, errors: list[ErrorDetails]) -> list[Fault]:
    if all(error["loc"] == () for error in errors):
        return []
    pruned = json.loads(json.dumps(tree))
    for place in _faulty_places(tree, errors):
        _take_out(pruned, place)
    try:
        Plan.model_validate(frozen(pruned), strict=True)
    except ValidationError as fault:
        roots = [e for e in fault.errors(include_url=False) if e["loc"] == ()]
        return [f for error in roots for f in _faults(tree, error)]
    return []


def _faulty_places(tree: Tree, errors: list[ErrorDetails]) -> list[Place]:
    """From the back: taking out an entry of a list moves those behind it."""
    places = {_place(tree, e["loc"])[: -1 if e["type"] == "missing" else None] for e in errors}
    return sorted(places, key=lambda p: [(isinstance(x, str), x) for x in p], reverse=True)


def _take_out(tree: Any, place: Place) -> None:
    for part in place[:-1]:
        if isinstance(tree, list):
            tree = tree[int(part)]
        elif part in tree:
            tree = tree[part]
        else:
            return
    if place and isinstance(tree, list):
        del tree[int(place[-1])]
    elif place:
        tree.pop(place[-1], None)


def _faults(tree: Tree, error: ErrorDetails) -> Iterator[Fault]:
    place = _place(tree, error["loc"])
    match error["type"]:
        case "extra_forbidden":
            yield place, _replaced(tree, place) or _unknown(place, error["loc"])
        case "missing":
            yield place, "expected a setting, got none; add it"
        case "union_tag_not_found":
            tag = error["ctx"]["discriminator"].strip("'")
            yield (*place, tag), f"expected '{tag}', which says what this is, got none; add it"
        case "union_tag_invalid":
            context = error["ctx"]
            tag, got = context["discriminator"].strip("'"), context["tag"]
            kinds = [kind.strip(" '") for kind in context["expected_tags"].split(",")]
            told = f"expected one of {', '.join(kinds)}, got {got!r}{_near(got, kinds)}"
            # `amount: numbr` is short for `amount: {role: numbr}`.
            yield (place if _is_short(tree, place) else (*place, tag)), told
        case "value_error" if not place:
            # Plan's own check joins its faults, each with its path.
            for told in str(error["ctx"]["error"]).splitlines():
                path, _, rest = told.partition(": ")
                yield _along(tree, path.split(".")), rest
        case _:
            instead = replacement(str(error["input"])) if _is_transformer(tree, place) else None
            yield place, _expected(error) + (f"; here it is {instead}" if instead else "")


def _replaced(tree: Tree, place: Place) -> str | None:
    """What says the same as a notebook's name, where one of its kind of model is set up."""
    name = str(place[-1])
    instead = replacement(name)
    if instead and (name.isupper() or _is_transformer(tree, place)):
        return f"unknown setting; here it is {instead}"
    return None


def _is_transformer(tree: Any, place: Place) -> bool:
    if place[:1] != ("families",) or place[2:3] != ("classifier",):
        return False
    told = tree["families"][place[1]]["classifier"]
    return isinstance(told, dict) and told.get("kind") == Transformer.model_fields["kind"].default


def _along(tree: Any, parts: Iterable[str]) -> Place:
    """A place as a tree has it: entries of lists are told by number."""
    place: list[str | int] = []
    for part in parts:
        step = int(part) if isinstance(tree, list) and part.isdecimal() else part
        found = isinstance(tree, dict) and step in tree
        found = found or (isinstance(step, int) and step < len(tree))
        tree = tree[step] if found else None
        place.append(step)
    return tuple(place)


def _place(tree: Tree, loc: tuple[str | int, ...]) -> Place:
    """Pydantic's location without the tags of unions, which no YAML shows."""
    place: list[str | int] = []
    for i, part in enumerate(loc):
        if isinstance(tree, dict) and part in tree:
            tree = tree[str(part)]
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        elif not (i == len(loc) - 1 and isinstance(tree, dict) and _is_field(loc)):
            continue
        place.append(part)
    return tuple(place)


def _is_short(tree: Any, place: Place) -> bool:
    for part in place:
        tree = tree[part]
    return not isinstance(tree, dict)


def _is_field(loc: tuple[str | int, ...]) -> bool:
    return loc[-1] in _fields_at(loc[:-1])


def _fields_at(loc: tuple[str | int, ...]) -> list[str]:
    """The settings that the plan takes at a location of pydantic's."""
    models: list[type[BaseModel]] = [Plan]
    for part in loc:
        inner = [m.model_fields[str(part)].annotation for m in models if part in m.model_fields]
        if inner:
            models = [model for annotation in inner for model in _models_in(annotation)]
        else:
            models = [m for m in models if _is_tagged(m, part)] or models
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, TypeAliasType):
        return _models_in(annotation.__value__)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Knob:
        return [Range]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _is_tagged(model: type[BaseModel], tag: str | int) -> bool:
    return any(model.model_fields[t].default == tag for t in _TAGS if t in model.model_fields)


def _unknown(place: Place, loc: tuple[str | int, ...]) -> str:
    return _unlisted(str(place[-1]), _fields_at(loc[:-1]))


def _unlisted(name: str, known: list[str]) -> str:
    near = _near(name, known)
    return "unknown setting" + (near or f"; expected one of {', '.join(known)}")


def _near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


_WORDS = (
    ("Value error, ", ""),
    ("Input should be a valid dictionary or instance of ", "expected the settings of a "),
    ("Input should be a valid ", "expected a "),
    ("Input should be ", "expected "),
    ("expected a integer", "expected a whole number"),
    ("expected a tuple", "expected a list"),
    ("expected a string", "expected text (in quotes where it looks like a number)"),
)


def _expected(error: ErrorDetails) -> str:
    message = error["msg"]
    for theirs, ours in _WORDS:
        message = message.replace(theirs, ours)
    return message if "got " in message else f"{message}, got {_told(error['input'])}"


def _told(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
