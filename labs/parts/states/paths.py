"""Paths: the part of JSONPath that the states language uses, and the reference paths that name one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from labs.parts.states import comparisons
from labs.parts.states.payload import WORK_OF_A_CALL, WORK_OF_A_VALUE, Environment, Json

_NAME = re.compile(r"[\w\-]+")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\"")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_SLICE = re.compile(r"(-?[0-9]{1,9})?\s*:\s*(-?[0-9]{1,9})?(?:\s*:\s*(-?[0-9]{1,9})?)?")
_FILTER = re.compile(
    r"\?\(\s*@((?:\.[\w\-]++|\['[^'\\]*+'\])++)"
    r"(?:\s*(==|!=|<=|>=|<|>)\s*('[^'\\]*'|\"[^\"\\]*\"|-?[0-9]{1,15}(?:\.[0-9]{1,15})?|true|false|null))?\s*\)"
)
_FILTER_STEP = re.compile(r"\.([\w\-]+)|\['([^'\\]*)'\]")
_ESCAPED = re.compile(r"\\(.)")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}


class PathError(ValueError):
    """A path that cannot be read or, against data, leads nowhere; the sentence says what to do."""


@dataclass(frozen=True)
class Wildcard:
    """All members: ``*`` or ``[*]``."""


@dataclass(frozen=True)
class Descendants:
    """The value and everything below it: ``..``."""


@dataclass(frozen=True)
class Slice:
    """Elements from ``start`` to before ``stop``: ``[start:stop:step]``."""

    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True)
class Several:
    """Several names or indices: ``[0, 2]``."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True)
class Filter:
    """The elements whose member exists or compares so: ``[?(@.price < 10)]``."""

    names: tuple[str, ...]
    operator: str
    expected: Json


Step = str | int | Wildcard | Descendants | Slice | Several | Filter


@dataclass(frozen=True)
class Path:
    """A compiled path; ``in_context`` for one that begins with ``$$``."""

    text: str
    steps: tuple[Step, ...] = ()
    in_context: bool = False

    @cached_property
    def is_definite(self) -> bool:
        """Whether the path leads to one value, and not to a list of all that it finds."""
        return all(isinstance(step, str | int) for step in self.steps)

    @cached_property
    def is_reference(self) -> bool:
        """Whether the path is a reference path: names and indices from the start, none from the end."""
        return all(isinstance(step, str) or (isinstance(step, int) and step >= 0) for step in self.steps)

    def read(self, data: Json, environment: Environment) -> Json:
        """Return what the path finds: a value, or the list of values of a path that may find several.

        Raises PathError where a path for one value leads nowhere.
        """
        if self.in_context:
            environment.meter.spend(WORK_OF_A_CALL)
            data = environment.context()
        if not self.steps:
            return data
        if not self.is_definite:
            return self._all(data, environment)
        for step in self.steps:
            found = _member(data, step)
            if found is None:
                raise PathError(f"The path {self.text} leads nowhere in the data.")
            data = found[0]
        return data

    def write(self, data: Json, value: Json) -> Json:
        """Return ``data`` with ``value`` at this reference path, making objects on the way; ``data`` stays.

        Raises PathError where the way leads through a value that is no object, or past the end of an array.
        """
        return self._written(data, value, 0)

    def _written(self, data: Json, value: Json, depth: int) -> Json:
        if depth == len(self.steps):
            return value
        step = self.steps[depth]
        if isinstance(step, str) and isinstance(data, dict):
            below = data.get(step, {} if depth + 1 < len(self.steps) else None)
            return {**data, step: self._written(below, value, depth + 1)}
        if isinstance(step, int) and isinstance(data, list) and 0 <= step < len(data):
            return [*data[:step], self._written(data[step], value, depth + 1), *data[step + 1 :]]
        raise PathError(
            f"The result cannot be put at {self.text}, because the way leads through a value of another kind."
        )

    def _all(self, data: Json, environment: Environment) -> list[Json]:
        found = [data]
        for step in self.steps:
            before, found = found, []
            for member in (member for value in before for member in _select(value, step)):
                environment.meter.spend(WORK_OF_A_VALUE)
                found.append(member)
        return found


ROOT = Path("$")


def _member(data: Json, step: Step) -> tuple[Json] | None:
    if isinstance(step, str):
        return (data[step],) if isinstance(data, dict) and step in data else None
    if isinstance(step, int) and isinstance(data, list) and -len(data) <= step < len(data):
        return (data[step],)
    return None


def _select(value: Json, step: Step) -> Iterator[Json]:
    if isinstance(step, Wildcard):
        yield from _members(value)
    elif isinstance(step, Descendants):
        waiting = [value]
        while waiting:
            below = waiting.pop()
            yield below
            waiting.extend(reversed([*_members(below)]))
    elif isinstance(step, Slice):
        if isinstance(value, list):
            yield from value[step.start : step.stop : step.step]
    elif isinstance(step, Filter):
        yield from (member for member in _members(value) if _holds(member, step))
    else:
        for one in step.steps if isinstance(step, Several) else (step,):
            yield from _member(value, one) or ()


def _members(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _holds(value: Json, test: Filter) -> bool:
    for name in test.names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return not test.operator or comparisons.holds(value, test.operator, test.expected)


def parse(text: str) -> Path:
    """Return the compiled path; raise PathError with a sentence that says what to do."""
    path, end = parse_prefix(text, 0)
    if end < len(text):
        raise PathError(
            f"The path {shown(text)} cannot be read from {shown(text[end:])} on; write $.name, $['name'] or $.name[0]."
        )
    return path


def parse_prefix(text: str, begin: int) -> tuple[Path, int]:
    """Return the path that begins at ``begin`` and where it ends; raise PathError where none begins."""
    if not text.startswith("$", begin):
        raise PathError(
            f"The path {shown(text[begin:])} does not begin with $; write $ for the whole input, $.name for a field."
        )
    in_context = text.startswith("$$", begin)
    at = begin + 1 + in_context
    steps: list[Step] = []
    while at < len(text) and text[at] in ".[":
        if text[at] == "[":
            step, at = _bracket(text, at + 1)
            steps.append(step)
            continue
        if text.startswith("..", at):
            steps.append(Descendants())
            at += 1
            if text.startswith("[", at + 1):
                at += 1
                continue
        step, at = _after_dot(text, at + 1)
        steps.append(step)
    return Path(text[begin:at], tuple(steps), in_context), at


def _after_dot(text: str, at: int) -> tuple[Step, int]:
    if text.startswith("*", at):
        return Wildcard(), at + 1
    found = _NAME.match(text, at)
    if not found:
        raise PathError(
            f"In the path {shown(text)} a dot is followed by no name; write $.name, or $['a name'] in brackets."
        )
    if text.startswith("(", found.end()):
        raise PathError(
            f"The path {shown(text)} calls the function {found[0]}(); use an intrinsic such as States.ArrayLength."
        )
    return found[0], found.end()


def _bracket(text: str, at: int) -> tuple[Step, int]:
    if text.startswith("*]", at):
        return Wildcard(), at + 2
    condition = _FILTER.match(text, at)
    if condition and text.startswith("]", condition.end()):
        return _filter(condition), condition.end() + 1
    part = _SLICE.match(text, at)
    if part and text.startswith("]", part.end()):
        start, stop, step = (None if one is None else int(one) for one in part.groups())
        if step == 0:
            raise PathError(f"The path {shown(text)} has a slice with the step 0; write 1.")
        return Slice(start, stop, step), part.end() + 1
    steps = []
    while True:
        step_, at = _name_or_index(text, at)
        steps.append(step_)
        if text.startswith("]", at):
            return (steps[0] if len(steps) == 1 else Several(tuple(steps))), at + 1
        if not text.startswith(",", at):
            raise PathError(f"In the path {shown(text)} a bracket is not closed; write ] after the name or the index.")
        at = _after_spaces(text, at + 1)


def _after_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at


def _name_or_index(text: str, at: int) -> tuple[str | int, int]:
    quoted = _QUOTED.match(text, at)
    if quoted:
        return _ESCAPED.sub(r"\1", quoted[1] if quoted[1] is not None else quoted[2]), quoted.end()
    index = _INTEGER.match(text, at)
    if index:
        return int(index[0]), index.end()
    raise PathError(
        f"In the path {shown(text)} a bracket holds neither an index nor a name in quotes; write [0] or ['name']."
    )


def _filter(found: re.Match[str]) -> Filter:
    names = tuple(one[1] or one[2] for one in _FILTER_STEP.finditer(found[1]))
    literal = found[3] or "null"
    expected: Json = literal[1:-1] if literal[0] in "'\"" else _WORDS.get(literal, 0)
    if literal not in _WORDS and literal[0] not in "'\"":
        expected = float(literal) if "." in literal else int(literal)
    return Filter(names, found[2] or "", expected)


def shown(text: str) -> str:
    """Return the text, cut where it is longer than a sentence bears."""
    return text if len(text) <= 80 else text[:79] + "…"
