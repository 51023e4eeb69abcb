"""A lab's parameters: declared once in ``lab.toml``, read from a form or a command line, checked here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

LANGUAGES = {"json": "JSON", "asl": "Amazon States Language", "sql": "SQL"}
"""The kinds of parameter that are a text in a language, and the languages' names."""

KINDS = ("integer", "number", "choice", "integers", *LANGUAGES)
LONGEST_LIST = 20
LONGEST_TEXT = 64 << 10
"""Bytes of a text in UTF-8."""

PROBLEMS = {
    "Expecting value": "a value must stand here",
    "Expecting ',' delimiter": "a comma or a closing bracket must stand here",
    "Expecting ':' delimiter": "a colon must stand here",
    "Expecting property name enclosed in double quotes": "a name in double quotes must stand here",
    "Extra data": "nothing may stand after the end",
    "Invalid control character at": "a line break or another control character stands in a string",
    "Unterminated string starting at": "the string that begins here has no end",
    "Invalid \\escape": "a backslash stands before a character that none may stand before",
    "Invalid \\uXXXX escape": "four hexadecimal digits must stand after this",
    "Illegal trailing comma before end of object": "a name in double quotes must stand here",
    "Illegal trailing comma before end of array": "a value must stand here",
}
"""What is wrong with a text that is no JSON, by what Python's reader says of it."""

NO_JSON = "this is no JSON"

Value = int | float | str | tuple[int, ...] | None


class ParameterError(ValueError):
    """A value that a parameter does not accept; the sentence names it and says what it accepts.

    Where it is one place in a text, ``problem`` says what is wrong there, at ``line`` and ``column``, both from 1.
    """

    def __init__(self, sentence: str, problem: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(sentence)
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Parameter:
    """One thing a learner may set: numbers, lists of numbers, choices, and texts in a language that a lab interprets.

    An ``optional`` parameter may be left empty; ``empty`` says what that means. ``help_fields`` says of each field
    or word of a text's language, in one sentence, what it is for. Parameters of one ``group`` stand together under its
    name.
    """

    name: str
    kind: str
    label: str
    help: str
    default: Value = None
    unit: str = ""
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    optional: bool = False
    empty: str = "none"
    advanced: bool = False
    group: str = ""
    help_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_text(self) -> bool:
        """Whether the value is a text of several lines in a language."""
        return self.kind in LANGUAGES

    @property
    def is_number(self) -> bool:
        """Whether ``minimum`` and ``maximum`` bound the value, or each of its values."""
        return self.kind in {"integer", "number", "integers"}

    @property
    def accepts(self) -> str:
        """What the parameter accepts, in words."""
        if self.is_text:
            return f"{LANGUAGES[self.kind]} of at most {LONGEST_TEXT >> 10} KiB"
        words = {
            "integer": f"a whole number{self._of_unit} from {self.minimum:,.0f} to {self.maximum:,.0f}",
            "number": f"a number{self._of_unit} from {self.minimum:,g} to {self.maximum:,g}",
            "choice": " or ".join(self.choices),
            "integers": f"whole numbers{self._of_unit} up to {self.maximum:,.0f}, with commas between them",
        }[self.kind]
        return f"{words}, or nothing for {self.empty}" if self.optional or self.kind == "integers" else words

    @property
    def _of_unit(self) -> str:
        return f" of {self.unit}" if self.unit else ""

    def read(self, text: str) -> Value:
        """Return the value that ``text`` gives; raise ParameterError where it gives none."""
        words = text.strip()
        if not words and self.optional and self.kind != "integers":
            return None
        if self.is_text:
            return self._text(text)
        try:
            return self._value(words) if words or self.kind != "integers" else ()
        except (ValueError, OverflowError):
            raise ParameterError(f"{self.name} is “{text[:60]}”; it accepts {self.accepts}.") from None

    def show(self, value: Value) -> str:
        """Return a value as the text that ``read`` takes."""
        if value is None:
            return ""
        # A default may be written 10 where a form's text gives 10.0; both are shown alike.
        return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value).removesuffix(".0")

    def _text(self, text: str) -> str:
        # A form sends each line's end as CR LF; the same text must be the same value from everywhere.
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        if not lines.strip() or "\0" in lines or len(lines.encode("utf-8", "replace")) > LONGEST_TEXT:
            beginning = " ".join(lines[:60].split())
            raise ParameterError(f"{self.name} is “{beginning}”; it accepts {self.accepts}.")
        if self.kind != "sql":
            self._check_json(lines)
        return lines

    def _check_json(self, text: str) -> None:
        try:
            json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise self._misplaced(PROBLEMS.get(error.msg, NO_JSON), error.lineno, error.colno) from None
        except (ValueError, RecursionError):
            raise self._misplaced(NO_JSON, 1, 1) from None

    def _misplaced(self, problem: str, line: int, column: int) -> ParameterError:
        return ParameterError(f"{self.name}, line {line}, column {column}: {problem}.", problem, line, column)

    def _value(self, words: str) -> Value:
        if self.kind == "choice":
            if words not in self.choices:
                raise ValueError
            return words
        if self.kind == "integers":
            numbers = tuple(int(self._within(int(one))) for one in words.replace(",", " ").split())
            if len(numbers) > LONGEST_LIST:
                raise ValueError
            return numbers
        return self._within(int(words) if self.kind == "integer" else float(words))

    def _within(self, number: float) -> int | float:
        if not math.isfinite(number) or not self.minimum <= number <= self.maximum:
            raise ValueError
        return number


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)
