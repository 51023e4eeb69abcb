"""What the labs' pages say in the reader's language of a parameter and of a run's end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import get_locale
from flask_babel import gettext as _

from labs.parameters import LANGUAGES, LONGEST_TEXT, Parameter, ParameterError


@dataclass(frozen=True)
class Sentence:
    """A sentence and the language it is in."""

    text: str
    language: str


@dataclass(frozen=True)
class Mark:
    """What is wrong at one place of a text, line and column from 1."""

    line: int
    column: int
    sentence: Sentence


def fault(one: Parameter, text: str, error: ParameterError) -> str:
    """Say in the reader's language what ``ParameterError`` says in English."""
    if error.line:
        what = _(error.problem)
        at = {"name": one.name, "line": error.line, "column": error.column, "what": what}
        words: str = _("%(name)s, line %(line)d, column %(column)d: %(what)s.", **at)
    else:
        shown = " ".join(text[:60].split()) if one.is_text else text[:60]
        words = _("%(name)s is “%(text)s”; it accepts %(accepts)s.", name=one.name, text=shown, accepts=_accepts(one))
    return words


def mark(error: ParameterError) -> Mark:
    """Return where and what is wrong, as the text's editor shows it."""
    what = _(error.problem)
    return Mark(error.line, error.column, Sentence(what[0].upper() + what[1:] + ".", str(get_locale())))


def reason(sentence: str) -> Sentence | None:
    """Return why a run ended, and the language of that; what only the lab can say stays in its own words."""
    for words, pattern in _REASONS:
        found = pattern.fullmatch(sentence)
        if found:
            return Sentence(_(words, **found.groupdict()), str(get_locale()))
    return Sentence(sentence, "en") if sentence else None


def _accepts(one: Parameter) -> str:
    """Say in the reader's language what ``Parameter.accepts`` says in English."""
    figures = ",g" if one.kind == "number" else ",.0f"
    values = {"unit": one.unit, "least": format(one.minimum, figures), "most": format(one.maximum, figures)}
    words: str = {
        ("integer", True): _("a whole number of %(unit)s from %(least)s to %(most)s", **values),
        ("integer", False): _("a whole number from %(least)s to %(most)s", **values),
        ("number", True): _("a number of %(unit)s from %(least)s to %(most)s", **values),
        ("number", False): _("a number from %(least)s to %(most)s", **values),
        ("integers", True): _("whole numbers of %(unit)s up to %(most)s, with commas between them", **values),
        ("integers", False): _("whole numbers up to %(most)s, with commas between them", **values),
    }.get((one.kind, bool(one.unit)), (" " + _("or") + " ").join(one.choices))
    if one.is_text:
        words = _("%(language)s of at most %(most)d KiB", language=LANGUAGES[one.kind], most=LONGEST_TEXT >> 10)
    if one.optional or one.kind == "integers":
        words = _("%(accepts)s, or nothing for %(empty)s", accepts=words, empty=one.empty)
    return words


def _stored(words: str) -> tuple[str, re.Pattern[str]]:
    """Return a sentence as the catalog of translations has it, and what finds it and its numbers in the database."""
    return words, re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>-?[\\d,]+)", re.escape(words)))


_REASONS = (
    _stored("Cancelled before it began."),
    _stored("The run was cancelled."),
    _stored("The server stopped twice during this run; run it again with the same seed."),
    _stored("The run was stopped after %(seconds)s s, the longest that one may take; ask less of it."),
    _stored("The run needed more than %(memory)s MiB of memory and was stopped; ask less of it."),
    _stored("The lab ended without its findings (status %(status)s)."),
    _stored("The run was left before its end."),
    _stored("The run reported more than %(events)s events or %(memory)s MiB and was stopped."),
    _stored("The run started more than %(count)s processes and was stopped."),
    _stored("The run wrote more than %(memory)s MiB or %(files)s files and was stopped."),
)
PROBLEMS = (
    _stored("a value must stand here"),
    _stored("a comma or a closing bracket must stand here"),
    _stored("a colon must stand here"),
    _stored("a name in double quotes must stand here"),
    _stored("nothing may stand after the end"),
    _stored("a line break or another control character stands in a string"),
    _stored("the string that begins here has no end"),
    _stored("a backslash stands before a character that none may stand before"),
    _stored("four hexadecimal digits must stand after this"),
    _stored("this is no JSON"),
)
"""The problems of ``labs.parameters``, for the catalog of translations; a test compares the two."""
