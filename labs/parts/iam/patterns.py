"""Texts of a policy that hold wildcards and variables, and whether a text of a request matches them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

Context = Mapping[str, tuple[str, ...]]
"""The condition keys of a request, in lower case, each with its values; what has no value is not there."""


class Wildcard(Enum):
    """Any number of characters, or exactly one."""

    ANY = "*"
    ONE = "?"


class Variable(NamedTuple):
    """A variable's key in lower case, and the value that stands where the request has none."""

    key: str
    default: str | None


Template = tuple[str | Wildcard | Variable, ...]
Arn = tuple[Template, ...]
"""The segments of an ARN."""
Pattern = tuple[str | Wildcard, ...]
"""A template whose variables have their values, in which an asterisk is an asterisk."""

_PIECE = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<wildcard>[*?])|[^$*?]+|\$")
_VARIABLE = re.compile(r"\s*(?P<key>[A-Za-z0-9_:./@+=-]+)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")
_ARN_SEGMENTS = 6


class TemplateError(ValueError):
    """A variable is not written as one; the sentence says how."""


def read_template(text: str, *, wildcards: bool = True) -> Template:
    """Return the pieces of a text; raise TemplateError where a variable has no end or no name.

    ``${*}``, ``${?}`` and ``${$}`` are the characters themselves (IAM user guide, "Policy variables").
    """
    pieces: list[str | Wildcard | Variable] = []
    for found in _PIECE.finditer(text):
        if found["variable"] is not None:
            pieces.append(_variable(found["variable"]))
        elif text.startswith("${", found.start()):
            raise TemplateError("A variable that begins with ${ has no end; close it with a brace.")
        elif wildcards and found["wildcard"]:
            pieces.append(Wildcard(found["wildcard"]))
        else:
            pieces.append(found[0])
    return tuple(pieces)


def _variable(inside: str) -> str | Variable:
    if inside in {"*", "?", "$"}:
        return inside
    found = _VARIABLE.fullmatch(inside)
    if not found:
        raise TemplateError("Between ${ and } stands the name of a condition key, such as ${aws:username}.")
    return Variable(found["key"].lower(), found["default"])


def resolve(template: Template, context: Context) -> Pattern | None:
    """Return the template with the request's values in place of its variables.

    Return None where a key has no value, or several: nothing is equal to it or like it (IAM user guide, "Policy
    variables with no value"), and nothing is known to be unlike it.
    """
    pieces: list[str | Wildcard] = []
    for piece in template:
        if not isinstance(piece, Variable):
            pieces.append(piece)
            continue
        values = context.get(piece.key, ())
        value = values[0] if len(values) == 1 else piece.default
        if value is None:
            return None
        pieces.append(value)
    return tuple(pieces)


def text_of(pattern: Pattern) -> str:
    """Return a pattern without wildcards as text."""
    return "".join(piece for piece in pattern if isinstance(piece, str))


def matches(pattern: Pattern, text: str) -> bool:
    """Return whether the whole text matches.

    What stands between two asterisks is looked for once, as early as it can stand, so the time never grows faster
    than the text times the pattern.
    """
    if Wildcard.ANY not in pattern:
        return len(text) == _length(pattern) and _find(pattern, text, 0, len(text)) == 0
    first, *middle, last = _between_asterisks(pattern)
    at, end = _length(first), len(text) - _length(last)
    if at > end or _find(first, text, 0, at) < 0 or _find(last, text, end, len(text)) < 0:
        return False
    for piece in middle:
        found = _find(piece, text, at, end)
        if found < 0:
            return False
        at = found + _length(piece)
    return True


def _between_asterisks(pattern: Pattern) -> list[Pattern]:
    cuts = [at for at, piece in enumerate(pattern) if piece is Wildcard.ANY]
    return [pattern[begin:end] for begin, end in zip([0, *(at + 1 for at in cuts)], [*cuts, None], strict=True)]


def _length(pattern: Pattern) -> int:
    return sum(len(piece) if isinstance(piece, str) else 1 for piece in pattern)


def _find(pattern: Pattern, text: str, start: int, end: int) -> int:
    """Return where a pattern without asterisks first stands between two places of the text, or -1."""
    if Wildcard.ONE not in pattern:
        return text.find(text_of(pattern), start, end)
    found = _compiled(pattern).search(text, start, end)
    return found.start() if found else -1


@lru_cache(maxsize=256)
def _compiled(pattern: Pattern) -> re.Pattern[str]:
    pieces = (re.escape(piece) if isinstance(piece, str) else "." for piece in pattern)
    return re.compile("".join(pieces), re.DOTALL)


def read_arn(text: str) -> Arn:
    """Return the six segments of an ARN; raise TemplateError where there are fewer.

    The colons of a variable's name and of its value divide nothing.
    """
    segments: list[list[str | Wildcard | Variable]] = [[]]
    for piece in read_template(text):
        first, *rest = piece.split(":", _ARN_SEGMENTS - len(segments)) if isinstance(piece, str) else (piece,)
        segments[-1].append(first)
        segments += [[one] for one in rest]
    if len(segments) < _ARN_SEGMENTS:
        raise TemplateError("An ARN has six parts with colons between them, such as arn:aws:s3:::bucket/key.")
    return tuple(tuple(segment) for segment in segments)


def matches_arn(arn: Arn, text: str, context: Context) -> bool | None:
    """Return whether each segment matches the text's, or None where a variable has no value.

    A wildcard does not reach over one of the first five colons (IAM user guide, "Resource").
    """
    found = text.split(":", _ARN_SEGMENTS - 1)
    if len(found) != _ARN_SEGMENTS:
        return False
    matching = [matches_template(segment, one, context) for segment, one in zip(arn, found, strict=True)]
    return None if None in matching else all(matching)


def matches_template(template: Template, text: str, context: Context) -> bool | None:
    """Return whether the whole text matches the template, or None where a variable has no value."""
    pattern = resolve(template, context)
    return None if pattern is None else matches(pattern, text)
