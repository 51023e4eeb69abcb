"""A lab's parameters: declared once in ``lab.toml``, read from a form or a command line, checked here."""

from __future__ import annotations

import math
from dataclasses import dataclass

KINDS = ("integer", "number", "choice", "integers")
LONGEST_LIST = 20

Value = int | float | str | tuple[int, ...] | None


class ParameterError(ValueError):
    """A value that a parameter does not accept; the sentence names it and says what it accepts."""


@dataclass(frozen=True)
class Parameter:
    """One thing a learner may set: only numbers, lists of numbers, and choices, never code.

    An ``optional`` parameter may be left empty; ``empty`` says what that means. Parameters of one ``group`` stand
    together under its name.
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

    @property
    def accepts(self) -> str:
        """What the parameter accepts, in words."""
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
        try:
            if not words and self.kind == "integers":
                return ()
            if not words and self.optional:
                return None
            return self._value(words)
        except (ValueError, OverflowError):
            raise ParameterError(f"{self.name} is “{text[:60]}”; it accepts {self.accepts}.") from None

    def show(self, value: Value) -> str:
        """Return a value as the text that ``read`` takes."""
        if value is None:
            return ""
        # A default may be written 10 where a form's text gives 10.0; both are shown alike.
        return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value).removesuffix(".0")

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
