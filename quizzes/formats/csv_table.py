"""A table with a header, one question a row: read as people write it, written so that it reads back the same."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from quizzes.answers import number as number_of
from quizzes.formats import build, writing
from quizzes.formats.build import Built
from quizzes.formats.drafts import LETTERS, Line
from quizzes.formats.reading import Finding, Imported, Reading, Writing
from quizzes.formats.source import MAXIMUM_LINE, MAXIMUM_QUESTIONS, MAXIMUM_RAW, lines_ended, too_many
from quizzes.questions import KINDS, Item

NAMES = {
    "id": ("id", "name", "number", "no", "code", "title"),
    "kind": ("kind", "type", "question type"),
    "question": ("question", "stem", "text", "question text", "prompt"),
    "correct": (
        "correct",
        "answer",
        "answers",
        "key",
        "correct answer",
        "correct answers",
        "correct option",
        "solution",
    ),
    "explanation": ("explanation", "feedback", "general feedback", "why", "comment"),
    "rationale": ("rationale", "reason"),
    "category": ("category", "topic", "section", "chapter"),
    "tags": ("tags", "labels", "keywords"),
    "tolerance": ("tolerance", "margin"),
    "unit": ("unit", "units"),
    "task": ("task", "objective"),
    "difficulty": ("difficulty", "level"),
    "lesson": ("lesson", "link"),
    "order": ("order",),
    "set": ("set",),
    "today": ("today",),
}
"""The names that a column may have, and what it is then."""
_BY_NAME = {name: column for column, names in NAMES.items() for name in names}
_BY_NUMBER = {str(number): letter for number, letter in enumerate(LETTERS, 1)}
_OPTION = re.compile(r"(?:option|answer|choice|step|line)? ?([a-h]|[1-8])")
_OTHER = re.compile(r"(rationale|reason|feedback|explanation|partner|match|target) ?([a-i]|[1-9])")
_KIND_NAMES = {
    "multiple choice": "choice",
    "multiple response": "choice",
    "true false": "choice",
    "single": "choice",
    "multiple": "choice",
    "short text": "text",
    "short answer": "text",
    "number": "numeric",
    "numerical": "numeric",
    "match": "matching",
    "order": "ordering",
}
_WRONG = re.compile(r"(?:wrong|incorrect|false|distractor)(?: (?:answer|option|choice))? ?([a-h]|[1-8])")
_SPLIT = re.compile(r"[\s,;/&+.()]+")
_LETTER_RUN = re.compile(r"[A-Ha-h]{2,8}")


@dataclass(frozen=True)
class _Row:
    """One question's cells by the names of their columns: ``question``, ``option b``, ``rationale c``."""

    number: int
    line: int
    cells: Mapping[str, str]

    def cell(self, name: str) -> str:
        return self.cells.get(name, "")


def read(text: str) -> Reading:
    """Return the items of a table, and what of it is not in them; the first row names the columns."""
    text = lines_ended(text)
    lines = text.split("\n")
    head = next((place for place, line in enumerate(lines) if line.strip()), None)
    if head is None:
        return Reading((), (Finding(1, 1, "error", "The file is empty; its first row names the columns."),), 0)
    csv.field_size_limit(20 * MAXIMUM_LINE)
    # Strictly: a quote that is not closed would take in the rows after it.
    rows = csv.reader(io.StringIO("\n".join(lines[head:])), delimiter=_delimiter(lines[head]), strict=True)
    try:
        return _read_rows(rows, head)
    except csv.Error as error:
        sentence = f"This row is no row of a table: {error}."
        return Reading((), (Finding(head + rows.line_num, 1, "error", sentence),), 0)


def _read_rows(rows: csv._reader, head: int) -> Reading:  # type: ignore[name-defined]
    titles = next(rows)
    columns, findings = _columns(titles, head + 1)
    if "question" not in columns or not (
        {"correct"} & set(columns) or any(name.startswith("option") for name in columns)
    ):
        sentence = "The first row must name the columns, “question” and “correct” among them."
        return Reading((), (Finding(head + 1, 1, "error", sentence),), 0)
    items: list[Imported] = []
    given, line = [], head + rows.line_num + 1
    for values in rows:
        if any(value.strip() for value in values):
            given.append((line, values))
        line = head + rows.line_num + 1
    if len(given) > MAXIMUM_QUESTIONS:
        return too_many()
    for number, (start, values) in enumerate(given, 1):
        made, found = _read_row(number, start, columns, values)
        raw = " | ".join(values)[:MAXIMUM_RAW]
        findings += [replace(one, raw=raw) if one.severity == "error" else one for one in found]
        if made is not None:
            items.append(made)
    kept, notes = build.with_ids_of_their_own(items)
    if not given:
        findings.append(Finding(head + 1, 1, "error", "The table has no question under its header."))
    return Reading(kept, tuple(sorted((*findings, *notes), key=lambda one: (one.question, one.line))), len(given))


def _delimiter(header: str) -> str:
    """Return what parts the columns: of comma, semicolon, tab and bar, what the header has most of."""
    return max(",;\t|", key=header.count)


def _columns(titles: Sequence[str], line: int) -> tuple[list[str], list[Finding]]:
    """Return what each column is, empty where it is nothing that we know, with a loss."""
    columns: list[str] = []
    findings = []
    for title in titles:
        words = " ".join(re.split(r"[\W_]+", title.casefold())).strip()
        column = _column(words)
        if not column and words:
            findings.append(Finding(line, 1, "loss", f"The column “{title[:60]}” is nothing that we know.", raw=title))
        elif column in columns and column:
            findings.append(Finding(line, 1, "loss", f"The column “{title[:60]}” stands twice; the first one counts."))
            column = ""
        columns.append(column)
    return columns, findings


def _column(words: str) -> str:
    if words in _BY_NAME:
        return _BY_NAME[words]
    if found := _OTHER.fullmatch(words):
        kind = "partner" if found[1] in ("partner", "match", "target") else "rationale"
        return f"{kind} {_as_letter(found[2])}"
    if found := _WRONG.fullmatch(words):
        return f"wrong {_as_letter(found[1])}"
    if found := _OPTION.fullmatch(words):
        return f"option {_as_letter(found[1])}"
    return ""


def _as_letter(name: str) -> str:
    return f"{LETTERS}i"[int(name) - 1] if name.isdecimal() else name


def _read_row(number: int, line: int, columns: Sequence[str], values: Sequence[str]) -> Built:
    cells = {column: value.strip() for column, value in zip(columns, values, strict=False) if column}
    row = _Row(number, line, cells)
    if any(value.strip() for value in values[len(columns) :]):
        sentence = "This row has more cells than the header; quote cells that have the delimiter in them."
        return None, (Finding(line, 1, "error", sentence, number),)
    kind = _kind(row)
    if kind not in KINDS:
        sentence = f"“{kind[:40]}” is no kind; use {', '.join(KINDS)}."
        return None, (Finding(line, 1, "error", sentence, number),)
    made, found = _MAKERS[kind](row)
    if made is not None and row.cell("today"):
        key = replace(made.item.key, today=" ".join(row.cell("today").split()))
        made = replace(made, item=replace(made.item, key=key))
    return made, found


def _kind(row: _Row) -> str:
    """Return the kind that a row names; without a name, options make a choice, a number or words the rest."""
    named = " ".join(re.split(r"[\W_]+", row.cell("kind").casefold())).strip()
    if named:
        return _KIND_NAMES.get(named, named)
    if any(row.cell(f"{part} {letter}") for part in ("option", "wrong") for letter in LETTERS) or row.cell(
        "correct"
    ).casefold() in ("true", "false"):
        return "choice"
    return "numeric" if number_of(row.cell("correct").partition("±")[0]) is not None else "text"


def _fields(row: _Row) -> dict[str, str]:
    lesson = row.cell("lesson")
    tags = re.split(r"[,;]\s*", row.cell("tags").casefold()) if row.cell("tags") else []
    return {
        "Task": row.cell("task"),
        "Difficulty": row.cell("difficulty").casefold(),
        "Lesson": f"[lesson]({lesson})" if lesson else "",
        "Order": row.cell("order"),
        "Set": row.cell("set"),
        "Tags": ", ".join("-".join(tag.split()) for tag in tags if tag.strip()),
    }


def _head(row: _Row) -> tuple[int, int, int, str, str]:
    return row.number, row.line, 1, row.cell("id"), row.cell("question")


def _options(row: _Row, correct: str = "") -> list[Line]:
    return [
        build.option(row.cell(f"option {letter}"), letter in correct, row.cell(f"rationale {letter}"), row.line)
        for letter in LETTERS
        if row.cell(f"option {letter}")
    ]


def _choice(row: _Row) -> Built:
    given = row.cell("correct")
    texts = {letter: row.cell(f"option {letter}") for letter in LETTERS if row.cell(f"option {letter}")}
    explanation = row.cell("explanation") or row.cell("rationale")
    wrong = [row.cell(f"wrong {letter}") for letter in LETTERS if row.cell(f"wrong {letter}")]
    if wrong and not texts and given:
        options = [build.option(text, text is given, "", row.line) for text in (given, *wrong)]
        return build.choice(*_head(row), options, explanation, row.cell("category"), fields=_fields(row))
    if not texts and given.casefold() in ("true", "false", "t", "f"):
        right, reasons = given[0] in "Tt", (row.cell("rationale a"), row.cell("rationale b"))
        return build.true_false(*_head(row), right, reasons, explanation, row.cell("category"), fields=_fields(row))
    right_letters = _letters(given, texts)
    if right_letters is None:
        sentence = f"“{given[:60]}” names no option of this row, or not one alone; write letters such as “B” or “B, E”."
        return None, (Finding(row.line, 1, "error", sentence, row.number),)
    options = _options(row, right_letters)
    return build.choice(*_head(row), options, explanation, row.cell("category"), fields=_fields(row))


def _letters(given: str, texts: Mapping[str, str]) -> str | None:
    """Return the letters that a key names: by letters, by numbers, or by one text; None if it may be two ways."""
    same = [letter for letter, text in texts.items() if text.casefold() == given.casefold()]
    words = [word for word in _SPLIT.split(given) if word and word.casefold() not in ("and", "option")]
    if len(words) == 1 and _LETTER_RUN.fullmatch(words[0]) and _is_run(words[0]):
        words = list(words[0])
    letters = [_BY_NUMBER.get(word, word.casefold()) for word in words]
    if letters and all(letter in texts for letter in letters):
        return "".join(letters) if not same or set(same) == set(letters) else None
    return same[0] if len(same) == 1 else None


def _is_run(word: str) -> bool:
    """Return whether a word is letters of options, as “AC” or “ac”, and not a word such as “bad”."""
    return word.isupper() or list(word.casefold()) == sorted(set(word.casefold()))


def _numeric(row: _Row) -> Built:
    value, _sign, tolerance = row.cell("correct").partition("±")
    given = (value.strip(), row.cell("tolerance") or tolerance.strip(), row.cell("unit"), row.cell("rationale"))
    return build.numeric(*_head(row), *given, row.cell("explanation"), row.cell("category"), fields=_fields(row))


def _text(row: _Row) -> Built:
    spellings = [one.strip() for one in row.cell("correct").split("|")]
    given = (spellings, row.cell("rationale"), row.cell("explanation"), row.cell("category"))
    return build.short_text(*_head(row), *given, fields=_fields(row))


def _ordering(row: _Row) -> Built:
    return build.ordering(
        *_head(row), _options(row), row.cell("explanation"), row.cell("category"), fields=_fields(row)
    )


def _matching(row: _Row) -> Built:
    pairs = []
    for letter in f"{LETTERS}i":
        text, partner = row.cell(f"option {letter}"), row.cell(f"partner {letter}")
        if text or partner:
            pairs.append(build.option(text, True, row.cell(f"rationale {letter}"), row.line, partner))
    given = (pairs, row.cell("explanation"), row.cell("category"))
    return build.matching(*_head(row), *given, fields=_fields(row))


_MAKERS = {"choice": _choice, "numeric": _numeric, "text": _text, "ordering": _ordering, "matching": _matching}
_CARRIED = frozenset(
    ("task", "difficulty", "lesson", "set", "order", "tags", "unit", "rationales", "explanation", "today")
)
_COLUMNS = (
    *("id", "kind", "question", *(f"option_{letter}" for letter in LETTERS)),
    *(f"partner_{letter}" for letter in f"{LETTERS}i"),
    *("correct", "tolerance", "unit", "rationale", *(f"rationale_{letter}" for letter in LETTERS)),
    *("explanation", "today", "task", "difficulty", "lesson", "order", "set", "tags"),
)


def write(items: Sequence[Item]) -> Writing:
    """Return the table in UTF-8 with commas, and for each item what it does not carry."""
    out = io.StringIO()
    rows = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    findings: list[Finding] = []
    for number, item in enumerate(items, 1):
        if any("|" in spelling for spelling in item.key.correct):
            sentence = f"{item.question.id}: left out, because “|” parts the spellings of a table."
            findings.append(Finding(max(1, item.line), 1, "error", sentence, number))
            continue
        rows.writerow(_written(item))
        changed = ["stem"] if item.question.stimulus else []
        findings += writing.finding(number, item, writing.lost(item, _CARRIED), changed)
    return Writing(out.getvalue().encode(), tuple(findings))


def _written(item: Item) -> dict[str, str]:
    question, key = item.question, item.key
    cells = {
        "id": question.id,
        "kind": question.kind,
        "question": "\n\n".join(text for text in (question.stimulus, question.stem) if text),
        "explanation": key.explanation,
        "today": key.today,
        "task": question.task,
        "difficulty": question.difficulty,
        "lesson": question.lesson,
        "order": "fixed" if question.fixed else "",
        "set": question.enemies,
        "tags": ", ".join(question.tags),
        "tolerance": key.tolerance,
        "unit": question.unit,
        "rationale": key.rationale(""),
    }
    return cells | _written_answer(item)


def _written_answer(item: Item) -> dict[str, str]:
    """Return the cells of the options and the key, steps and pairs in the order of their places."""
    question, key = item.question, item.key
    if question.kind in ("numeric", "text"):
        return {"correct": "|".join(sorted(key.correct))}
    options = writing.steps(item) if question.kind == "ordering" else list(question.options)
    cells = {"correct": ", ".join(sorted(key.correct)).upper() if question.kind == "choice" else ""}
    for place, option in zip(LETTERS, options, strict=False):
        cells[f"option_{place}"] = option.text
        cells[f"rationale_{place}"] = key.rationale(option.letter)
    if question.kind == "matching":
        partners = [*(target for _, target in writing.partners(item)), *writing.leftover(item)]
        cells |= {f"partner_{place}": one.text for place, one in zip(f"{LETTERS}i", partners, strict=False)}
    return cells
