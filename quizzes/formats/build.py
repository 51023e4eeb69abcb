"""What a file says of one question, judged by the rules of our own Markdown: an item, or what is wrong and where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from quizzes.answers import number as number_of
from quizzes.formats import markdown
from quizzes.formats.drafts import MAXIMUM_ITEM_CHARACTERS, Draft, Line, finish
from quizzes.formats.reading import Finding, Imported
from quizzes.questions import Item

MAXIMUM_ID = 70
"""How many characters an id made of a name may have; a version's row holds 80."""

_COUNTS = {2: "two", 3: "three"}
# The streamlined system for the romanization of Bulgarian (Transliteration Act of 2009).
_BULGARIAN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфъь", "abvgdeziyklmnoprstufay", strict=True))
    | {"ж": "zh", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ю": "yu", "я": "ya"}
)
_TAKEN = re.compile(
    r"^(?=## |- |>|\d+\. |\*\*(?:Answer|Today|Why|Proof|Task|Difficulty|Lesson|Kind|Set|Case|Tags|Order)\b)",
    re.MULTILINE,
)


Built = tuple[Imported | None, tuple[Finding, ...]]
"""An item and notes on it, or None and what is wrong."""


def option(text: str, correct: bool, rationale: str, line: int, target: str = "") -> Line:
    """Return an option, a step, or the left side of a pair with its right one, where it stands in the source."""
    return Line(line, [_one_line(text)], correct, _one_line(target), [_one_line(rationale)])


def choice(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    options: Sequence[Line],
    explanation: str = "",
    category: str = "",
    fixed: bool = False,
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build a multiple choice, a multiple response or a true/false; “Choose two.” is added where it must be."""
    notes: tuple[Finding, ...] = ()
    right = sum(one.correct for one in options)
    if options and not right:
        return None, (Finding(line, column, "error", "No option is marked as right, so there is no key.", number),)
    words = f"Choose {_COUNTS.get(right, right)}"
    if right > 1 and words.lower() not in stem.lower() and stem.strip():
        stem = f"{stem.rstrip()} {words}."
        notes = (Finding(line, column, "note", f"{right} options are right, so “{words}.” is added.", number),)
    draft = _draft(number, line, name, stem, explanation, {"Order": "fixed" if fixed else "", **(fields or {})})
    draft.lines = list(options)
    built, found = _finish(number, column, category, draft)
    return built, (*found, *(notes if built else ()))


def true_false(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    right: bool,
    rationales: tuple[str, str] = ("", ""),
    explanation: str = "",
    category: str = "",
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build a true/false item; the rationales are those of True and of False."""
    given = zip(("True", "False"), (right, not right), rationales, strict=True)
    options = [option(text, correct, reason, line) for text, correct, reason in given]
    return choice(number, line, column, name, stem, options, explanation, category, fields=fields)


def numeric(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    value: str,
    tolerance: str = "",
    unit: str = "",
    rationale: str = "",
    explanation: str = "",
    category: str = "",
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build an item that is answered by a number; ``tolerance`` is as in ``5`` or ``1 %``."""
    if number_of(value) is None or number_of(tolerance.removesuffix("%") or "0") is None:
        shown = f"{value} ± {tolerance}" if tolerance else value
        return None, (Finding(line, column, "error", f"“{shown[:60]}” is no number; write one such as 2.5.", number),)
    draft = _draft(number, line, name, stem, explanation, {"Kind": "numeric", **(fields or {})})
    text = value + (f" ± {tolerance}" if tolerance else "") + (f" {unit}" if unit else "")
    draft.lines = [option(text, True, rationale, line)]
    return _finish(number, column, category, draft)


def short_text(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    spellings: Sequence[str],
    rationale: str = "",
    explanation: str = "",
    category: str = "",
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build an item that is answered by a few words; quotes in a spelling make no difference to an answer."""
    draft = _draft(number, line, name, stem, explanation, {"Kind": "text", **(fields or {})})
    plain = (" ".join(one.replace("“", '"').replace("”", '"').split()) for one in spellings)
    text = " or ".join(f"“{one}”" for one in plain if one)
    if not text:
        return None, (Finding(line, column, "error", "The question has no answer that would be right.", number),)
    draft.lines = [option(text, True, rationale, line)]
    return _finish(number, column, category, draft)


def ordering(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    steps: Sequence[Line],
    explanation: str = "",
    category: str = "",
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build an ordering of steps, given in their right order."""
    draft = _draft(number, line, name, stem, explanation, {"Kind": "ordering", **(fields or {})})
    draft.lines = list(steps)
    return _finish(number, column, category, draft)


def matching(
    number: int,
    line: int,
    column: int,
    name: str,
    stem: str,
    pairs: Sequence[Line],
    explanation: str = "",
    category: str = "",
    fixed: bool = False,
    *,
    fields: Mapping[str, str] | None = None,
) -> Built:
    """Build a matching; a pair without a left side leaves its right one to nothing."""
    given = {"Kind": "matching", "Order": "fixed" if fixed else "", **(fields or {})}
    draft = _draft(number, line, name, stem, explanation, given)
    draft.lines = list(pairs)
    return _finish(number, column, category, draft)


def slug(name: str, number: int) -> str:
    """Return an id made of a name: two or more words of ASCII, or else one made of the number."""
    latin = unicodedata.normalize("NFKC", name[:500]).casefold().translate(_BULGARIAN)
    ascii_only = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    words = "-".join(re.findall("[a-z0-9]+", ascii_only))[:MAXIMUM_ID].strip("-")
    return words if "-" in words else f"import-{number:04}"


def with_ids_of_their_own(items: Iterable[Imported]) -> tuple[tuple[Imported, ...], tuple[Finding, ...]]:
    """Return the items, those whose id is taken under another one, and a note of each of them."""
    taken: set[str] = set()
    kept, notes = [], []
    for one in items:
        wanted = given = one.item.question.id
        count = 2
        # A counter that began at 2 for each would take quadratic time where every name is the same.
        if wanted in taken:
            given, count = f"{wanted}-{one.number}", one.number
        while given in taken:
            count += 1
            given = f"{wanted}-{count}-x"
        taken.add(given)
        if given != wanted:
            sentence = f"The id “{wanted}” is taken by a question above, so this one is “{given}”."
            notes.append(Finding(one.line, one.column, "note", sentence, one.number, one.member))
            one = replace(one, item=replace(one.item, question=replace(one.item.question, id=given)))  # noqa: PLW2901
        kept.append(one)
    return tuple(kept), tuple(notes)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _draft(number: int, line: int, name: str, stem: str, explanation: str, fields: Mapping[str, str]) -> Draft:
    """Return a draft that need not be complete; its id is made of the name."""
    given = {field: (value, line, 1) for field, value in fields.items() if value}
    lines = [one.rstrip() for one in stem.strip().split("\n")]
    return Draft(slug(name, number), line, False, given, lines, line, explanation=[_one_line(explanation)])


def _finish(number: int, column: int, category: str, draft: Draft) -> Built:
    """Return the item of a draft if its own text reads back as the same item, and what was found."""
    found: list[Finding] = []

    def find(line: int, place: int, sentence: str, _field: str = "", _on_form: str = "") -> None:
        found.append(Finding(line, place if line != draft.line else column, "error", sentence, number))

    name = draft.id
    if any(len(text) > MAXIMUM_ITEM_CHARACTERS for line in draft.lines for text in (*line.text, *line.rationale)):
        find(draft.line, column, f"An option or a rationale is longer than {MAXIMUM_ITEM_CHARACTERS} characters.")
        return None, tuple(found)
    item = finish(draft, "", {}, find)
    if item is not None and _is_odd(draft) and not _reads_back(item):
        # A space before a mark hides it from a bank's reader and not from Markdown; a stem begins with none.
        draft.stem = [_TAKEN.sub(" " if place else r"\\", line) for place, line in enumerate(draft.stem)]
        item = finish(draft, "", {}, find)
        if item is not None and not _reads_back(item):
            find(draft.line, column, "A line of this question would be read as something else in a bank; reword it.")
            item = None
    made = Imported(number, draft.line, column, name, item, category) if item else None
    return made, tuple(found)


def _is_odd(draft: Draft) -> bool:
    """Return whether a text in the draft may be taken for something else; most items need no second reading."""
    if draft.kind != "choice" or any(text.startswith("**") for line in draft.lines for text in line.rationale):
        return True
    return any(map(_TAKEN.match, draft.stem))


def _reads_back(item: Item) -> bool:
    """Return whether the text of an item in a bank gives the same item again."""
    again, _faults = markdown.read_item(markdown.write_item(item), "", {}, Path("item.md"))
    return again is not None and (again.question, again.key) == (item.question, item.key)
