"""Choice rules: the tests of a Choice state and what they say of data.

The …Path operators, the Is… operators and StringMatches came in August 2020.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labs.parts.states.comparisons import instant, is_number
from labs.parts.states.paths import Path, PathError
from labs.parts.states.payload import WORK_OF_A_CALL, WORK_OF_A_VALUE, Environment, Json

Reader = Callable[[Json], Any]
"""Returns what a value is worth as one kind, None where it is of another."""


@dataclass(frozen=True)
class Operator:
    """A test of one kind of value: how both sides are read, and what must hold between them."""

    kind: str
    read: Reader
    test: Callable[[Any, Any], bool]


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return value if is_number(value) else None  # type: ignore[return-value]


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_KINDS: Mapping[str, tuple[str, Reader]] = {
    "String": ("a text", _text),
    "Numeric": ("a number", _number),
    "Timestamp": ("a timestamp such as 2018-02-12T03:00:00Z", instant),
}


_PATTERN = re.compile(r"\\([*\\])|\*|[^*\\]+|\\")


def like(text: str, pattern: str) -> bool:
    """Return whether the text matches the pattern: * stands for any characters, and after a backslash for itself.

    Takes time linear in the text for each piece of the pattern.
    """
    pieces = [""]
    for token in _PATTERN.finditer(pattern):
        if token[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += token[1] or token[0]
    if len(pieces) == 1:
        return text == pieces[0]
    first, last = pieces[0], pieces[-1]
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


OPERATORS: Mapping[str, Operator] = {
    **{
        kind + name: Operator(wanted, read, test)
        for kind, (wanted, read) in _KINDS.items()
        for name, test in _ORDERS.items()
    },
    "BooleanEquals": Operator("true or false", _boolean, operator.eq),
    "StringMatches": Operator("a text, in which * stands for any characters", _text, like),
}
WITH_PATHS = frozenset(f"{name}Path" for name in OPERATORS if name != "StringMatches")
IS: Mapping[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: instant(value) is not None,
}
PRESENT = "IsPresent"
ALL_OPERATORS = (*OPERATORS, *sorted(WITH_PATHS), *IS, PRESENT)
OF_2020 = frozenset({*WITH_PATHS, *IS, PRESENT, "StringMatches"})


@dataclass(frozen=True)
class Comparison:
    """A test of what a path finds against a value, or against what another path finds."""

    variable: Path
    operator: str
    expected: Json | Path

    def holds(self, data: Json, environment: Environment) -> bool:
        """Return whether the test holds; a value of another kind never does.

        Raises PathError where a path leads nowhere, but for IsPresent, which asks just that.
        """
        pattern = self.expected if self.operator == "StringMatches" else None
        environment.meter.spend(WORK_OF_A_CALL + (WORK_OF_A_VALUE * len(pattern) if isinstance(pattern, str) else 0))
        if self.operator == PRESENT:
            return _exists(self.variable, data, environment) == self.expected
        value = self.variable.read(data, environment)
        if self.operator in IS:
            return IS[self.operator](value) == self.expected
        if isinstance(self.expected, Path):
            test = OPERATORS[self.operator.removesuffix("Path")]
            return _compare(test, value, test.read(self.expected.read(data, environment)))
        return _compare(OPERATORS[self.operator], value, self._worth)

    @cached_property
    def _worth(self) -> Any:
        return None if isinstance(self.expected, Path) else OPERATORS[self.operator].read(self.expected)


@dataclass(frozen=True)
class Every:
    """Holds where all its rules do: And."""

    rules: tuple[Rule, ...]

    def holds(self, data: Json, environment: Environment) -> bool:
        """Return whether all rules hold; those after the first that does not are not looked at."""
        return all(rule.holds(data, environment) for rule in self.rules)


@dataclass(frozen=True)
class Some:
    """Holds where one of its rules does: Or."""

    rules: tuple[Rule, ...]

    def holds(self, data: Json, environment: Environment) -> bool:
        """Return whether a rule holds; those after the first that does are not looked at."""
        return any(rule.holds(data, environment) for rule in self.rules)


@dataclass(frozen=True)
class Opposite:
    """Holds where its rule does not: Not."""

    rule: Rule

    def holds(self, data: Json, environment: Environment) -> bool:
        """Return whether the rule does not hold."""
        return not self.rule.holds(data, environment)


Rule = Comparison | Every | Some | Opposite


def _compare(test: Operator, value: Json, right: Any) -> bool:
    left = test.read(value)
    return left is not None and right is not None and test.test(left, right)


def _exists(path: Path, data: Json, environment: Environment) -> bool:
    try:
        path.read(data, environment)
    except PathError:
        return False
    return True
