"""Front matter: the fields at the head of a content file, checked against what its kind of page may say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

import yaml

from content.errors import Fault

REQUIRED = object()
# The one in C, where PyYAML was built with it, reads the same language at a tenth of the cost.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Field:
    """A field: how its text becomes a value (ValueError says what is wrong), and what is used where it is absent."""

    convert: Callable[[str], Any] = str
    default: Any = None
    many: bool = False


@dataclass
class FrontMatter:
    """What a file's head says, and its faults; ``usable`` is False where a page cannot be made of it."""

    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    usable: bool = True

    def fault(self, line: int, column: int, sentence: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(line, column, sentence))


def split(text: str) -> tuple[str, str, int]:
    """Return (front matter, body, the body's first line); raise ValueError where a file has no front matter."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise ValueError("The file must begin with front matter: a line of three hyphens, fields, the same line.")
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise ValueError("The front matter is never closed; end it with a line of three hyphens.")
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :]), end + 2


def read(text: str, schema: Mapping[str, Field]) -> FrontMatter:
    """Read the front matter (without its fences) of a page that may have these fields."""
    found = FrontMatter()
    for key, node in _entries(text, found):
        line, column = key.start_mark.line + 2, key.start_mark.column + 1
        wanted = schema.get(key.value)
        if wanted is None:
            found.fault(line, column, f"“{key.value}” is no field of this page; use {', '.join(schema)}.")
        elif key.value in found.fields:
            found.fault(line, column, f"“{key.value}” is given twice.")
        else:
            found.fields[key.value] = _value(key.value, node, wanted, found)
    if not found.usable:
        return found
    for name, wanted in schema.items():
        if name in found.fields:
            found.usable = found.usable and found.fields[name] is not None
        elif wanted.default is REQUIRED:
            found.fault(1, 1, f"The front matter lacks “{name}”.")
            found.usable = False
        else:
            found.fields[name] = wanted.default
    return found


def _entries(text: str, found: FrontMatter) -> Sequence[tuple[yaml.ScalarNode, yaml.Node]]:
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 2, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
        found.fault(line, column, f"The front matter cannot be read: {problem}.")
        found.usable = False
        return []
    if not isinstance(root, yaml.MappingNode):
        found.fault(2, 1, "The front matter must be fields, each as “name: value”.")
        found.usable = False
        return []
    return list(root.value)


def _value(name: str, node: yaml.Node, wanted: Field, found: FrontMatter) -> Any:
    nodes = node.value if wanted.many and isinstance(node, yaml.SequenceNode) else [node]
    values = []
    for item in nodes:
        line, column = item.start_mark.line + 2, item.start_mark.column + 1
        if not isinstance(item, yaml.ScalarNode):
            found.fault(line, column, f"“{name}” must be {'a list of texts' if wanted.many else 'one text'}.")
            return None
        try:
            values.append(wanted.convert(item.value))
        except ValueError as error:
            found.fault(line, column, f"“{name}” {error}.")
            return None
    return tuple(values) if wanted.many else values[0]


def text(value: str) -> str:
    """Return a text that is not empty."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def whole(low: int, high: int, unit: str) -> Callable[[str], int]:
    """Return a converter to whole numbers from ``low`` to ``high``."""

    def convert(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", value) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number of {unit} from {low} to {high}, not “{value}”")
        return int(value)

    return convert


def pattern(expression: str, wanted: str) -> Callable[[str], str]:
    """Return a converter that takes what matches ``expression`` as a whole; ``wanted`` tells what that is."""

    def convert(value: str) -> str:
        if not re.fullmatch(expression, value):
            raise ValueError(f"must be {wanted}, not “{value}”")
        return value

    return convert


def zone(value: str) -> str:
    """Return the name of a time zone."""
    if value not in available_timezones():
        raise ValueError(f"must be a time zone such as America/Los_Angeles, not “{value}”")
    return value
