"""YAML without its surprises: no key twice, no `no` that means false, a line for every fault.

Plain scalars follow YAML 1.2's core schema: `yes`, `no`, `on`, `off` and `2026-01-01` stay text,
`1e-3` is a number, `010` is ten. Tags, anchors and merge keys are refused: a plan is data, and
each of its settings stands in one place.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.faults import PlanError

Tree = dict[str, "Tree"] | list["Tree"] | str | int | float | bool | None
Place = tuple[str | int, ...]  # ("families", 0, "classifier")

MAX_DEPTH = 30
_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values; `lines` counts from 1 and knows every place in the tree."""

    file: str
    tree: Tree
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)


@dataclass
class _Reading:
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)


def read_yaml(path: Path) -> Document:
    """The document in a file; a `PlanError` lists everything that is wrong with its form."""
    file = shown(path)
    text = _text(path, file)
    try:
        # Nodes only: SafeLoader builds no object here.
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        raise PlanError(_syntax(fault, file)) from fault
    except yaml.YAMLError as fault:  # a control character
        raise PlanError(f"{file} is not YAML: {fault}; fix the file") from fault
    except RecursionError as fault:
        raise PlanError(f"{file} is nested too deeply; expected a plan") from fault
    if node is None:
        raise PlanError(f"{file} is empty; expected a plan, see deployments/plans/quickstart.yaml")
    reading = _Reading()
    if "&" in text or "*" in text:
        _refuse_aliases(text, reading)
    tree = None if reading.faults else _value(node, (), reading)
    if reading.faults:
        told = "".join(f"\n  {message} ({file}:{line})" for line, message in sorted(reading.faults))
        raise PlanError(f"{file} can't be read as a plan:{told}")
    return Document(file, tree, reading.lines)


def shown(path: Path) -> str:
    """The path as messages show it: relative where it lies under the current directory."""
    whole, here = path.resolve(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def _text(path: Path, file: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as fault:
        raise PlanError(f"There is no plan {file}; expected a YAML file of that name") from fault
    except OSError as fault:
        raise PlanError(f"{file} can't be read ({fault.strerror}); expected a YAML file") from fault
    except UnicodeDecodeError as fault:
        raise PlanError(
            f"{file} is not UTF-8 (byte {fault.start}); save the plan as UTF-8"
        ) from fault


def _syntax(fault: yaml.MarkedYAMLError, file: str) -> str:
    mark = fault.problem_mark or fault.context_mark
    place = f"{file}:{mark.line + 1}" if mark else file
    return f"{file} is not YAML: {fault.problem or fault.context} ({place}); fix the file"


def _refuse_aliases(text: str, reading: _Reading) -> None:
    """Before any walk over the nodes: aliases can make them a loop, or billions."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if getattr(event, "anchor", None) is not None and event.start_mark is not None:
            line = event.start_mark.line + 1
            reading.faults.append((line, "anchors and aliases are refused; write the value out"))


def _value(node: Node, place: Place, reading: _Reading) -> Tree:
    reading.lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > MAX_DEPTH:
        reading.faults.append((node.start_mark.line + 1, "nested too deeply; expected a plan"))
        return None
    if _is_tagged(node, reading):
        return None
    if isinstance(node, MappingNode):
        return _mapping(node, place, reading)
    if isinstance(node, SequenceNode):
        return [_value(item, (*place, i), reading) for i, item in enumerate(node.value)]
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _mapping(node: MappingNode, place: Place, reading: _Reading) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        plain = isinstance(key_node, ScalarNode) and not _is_tagged(key_node, reading)
        key = _scalar(key_node) if plain else None
        if not isinstance(key, str):
            written = getattr(key_node, "value", key) if key is not None else "nothing or a list"
            fault = f"expected text as a key, got {written}; put it in quotes"
            reading.faults.append((line, f"{dotted(place)}: {fault}"))
        elif key in found:
            first = reading.lines[(*place, key)]
            fault = f"stands twice, first in line {first}; keep one"
            reading.faults.append((line, f"{dotted((*place, key))}: {fault}"))
        else:
            reading.lines[(*place, key)] = line
            found[key] = _value(value_node, (*place, key), reading)
    return found


def _is_tagged(node: Node, reading: _Reading) -> bool:
    """Whether a value, a list or a mapping asks to be more than it is; that is told."""
    if node.tag.startswith("tag:yaml.org,2002:") and "python/" not in node.tag:
        return False
    line = node.start_mark.line + 1
    reading.faults.append((line, f"the tag {node.tag} is refused; expected plain values"))
    return True


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    return text if node.style else _plain(text)


def _plain(text: str) -> str | int | float | bool | None:
    """YAML 1.2's core schema, without octal, hexadecimal and infinities."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text) or _FALSE.match(text):
        return text[0] in "tT"
    if _WHOLE.match(text):
        return int(text) if len(text) < 300 else text
    return float(text) if _FLOAT.match(text) else text


def frozen(tree: Tree) -> Any:
    """The same values with tuples for lists, as strict models ask for."""
    if isinstance(tree, dict):
        return {key: frozen(inner) for key, inner in tree.items()}
    return tuple(map(frozen, tree)) if isinstance(tree, list) else tree


def dotted(place: Place) -> str:
    """`families.0.classifier`, as faults name a place; the whole plan is `plan`."""
    return ".".join(str(part) for part in place) or "plan"
