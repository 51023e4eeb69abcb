"""An item as the fields of a form: made of its Markdown and written back, so that neither loses anything; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quizzes.answers import Fields
from quizzes.formats import markdown
from quizzes.formats.drafts import Draft, Line
from quizzes.questions import KINDS

MAXIMUM_ROWS = 16
"""How many rows a form may have; a matching can have more partners than pairs."""
FIRST_ROWS = 4
_LISTED = ("choice", "ordering", "matching")
"""The kinds whose answer is a list of rows; the others have one answer."""
_BESIDE = ("partner", "reason", "claim")
_WORDS = (
    *("id", "task", "difficulty", "lesson", "enemies", "case", "tags"),
    *("reason", "claim", "explanation", "today"),
)
_SPELLING = re.compile(r"“([^”]+)”")
_MOVE = re.compile(r"(remove|up|down)-(\d{1,2})")


@dataclass(frozen=True)
class Row:
    """An option, a step, or a pair; ``partner`` is what it is matched with, ``claim`` the finding that it names."""

    text: str = ""
    right: bool = False
    partner: str = ""
    reason: str = ""
    claim: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written in it."""
        return not (self.text or self.partner or self.reason or self.claim)

    def used(self, kind: str) -> Row:
        """Return the row without what an item of another kind would need."""
        return replace(self, right=self.right and kind == "choice", partner=self.partner if kind == "matching" else "")


@dataclass(frozen=True)
class ItemForm:
    """The fields of an item, each as it is written; ``answer`` is that of a number, or a spelling of a text a line."""

    id: str
    kind: str = "choice"
    task: str = ""
    difficulty: str = ""
    lesson: str = ""
    """A link, as in ``[title](/learn/…#section)``."""
    fixed: bool = False
    enemies: str = ""
    case: str = ""
    tags: str = ""
    stem: str = ""
    rows: tuple[Row, ...] = ()
    answer: str = ""
    reason: str = ""
    claim: str = ""
    proof: str = ""
    explanation: str = ""
    today: str = ""

    @property
    def listed(self) -> bool:
        """Whether the item is answered by a list of rows."""
        return self.kind in _LISTED

    @property
    def used(self) -> ItemForm:
        """The form without empty rows, and without what another kind of item would need."""
        if self.kind == "text":
            spellings = (line.strip().strip('“”"') for line in self.answer.split("\n"))
            return replace(self, rows=(), answer="\n".join(filter(None, spellings)))
        if not self.listed:
            return replace(self, rows=(), answer=" ".join(self.answer.split("\n")))
        rows = tuple(one for row in self.rows if not (one := row.used(self.kind)).is_empty)
        return replace(self, rows=rows, answer="", reason="", claim="")


def of_text(text: str) -> ItemForm | None:
    """Return the form of an item's Markdown, sound or not; None where the form could not hold all of it."""
    draft = markdown.read_draft(text, Path("item"))
    if draft is None or draft.kind not in KINDS or len(draft.lines) > MAXIMUM_ROWS:
        return None
    form = _of_draft(draft)
    filled = [one for one in draft.lines if one.words or one.target or one.rationale or one.claim]
    return form if write(form) == markdown.write_draft(replace(draft, lines=filled)) else None


def of_fields(fields: Fields) -> ItemForm:
    """Return what a form sent; line breaks stay in the stem, the answer and the proof alone."""

    def lines(name: str) -> str:
        sent = (fields.getlist(name) or [""])[0]
        return "\n".join(sent.splitlines()).strip()

    def words(name: str) -> str:
        return " ".join(line.strip() for line in lines(name).split("\n")).strip()

    count = int(words("rows")) if re.fullmatch(r"\d{1,2}", words("rows")) else 0
    rows = tuple(
        Row(words(f"option-{n}"), bool(words(f"right-{n}")), *(words(f"{one}-{n}") for one in _BESIDE))
        for n in range(1, min(count, MAXIMUM_ROWS) + 1)
    )
    kind = words("kind")
    return ItemForm(
        **{name: words(name) for name in _WORDS},
        **{name: lines(name) for name in ("stem", "answer", "proof")},
        kind=kind if kind in KINDS else "choice",
        fixed=bool(words("fixed")),
        rows=rows,
    )


def write(form: ItemForm) -> str:
    """Return the item's Markdown."""
    used = form.used
    fields = {
        "Task": used.task,
        "Difficulty": used.difficulty,
        "Lesson": used.lesson,
        "Kind": used.kind,
        "Order": "fixed" if used.fixed else "",
        "Set": used.enemies,
        "Case": used.case,
        "Tags": used.tags,
    }
    draft = Draft(
        used.id,
        0,
        fields={name: (value, 0, 0) for name, value in fields.items()},
        stem=[used.stem],
        lines=[_line(one.text, one) for one in used.rows] if used.listed else _answer(used),
        proof=[used.proof],
        today=[used.today],
        explanation=[used.explanation],
    )
    return markdown.write_draft(draft)


def is_kept(form: ItemForm) -> bool:
    """Return whether reading what the form writes gives the form again, so that no line of it means something else."""
    return of_text(write(form)) == form.used


def changed(form: ItemForm, action: str) -> tuple[ItemForm, str]:
    """Add, remove or move a row; return the form and the field at which its author goes on, if any."""
    rows = list(form.rows)
    if action == "add" and len(rows) < MAXIMUM_ROWS:
        return replace(form, rows=(*rows, Row())), f"option-{len(rows) + 1}"
    if action == "kind":
        return _with_rows(form), "option-1" if form.listed else "answer"
    found = _MOVE.fullmatch(action)
    if found is None or not 0 < (place := int(found[2])) <= len(rows):
        return form, ""
    row = rows.pop(place - 1)
    if found[1] == "remove":
        return replace(form, rows=tuple(rows)), f"option-{min(place, len(rows))}" if rows else "add"
    target = min(max(place + (1 if found[1] == "down" else -1), 1), len(rows) + 1)
    rows.insert(target - 1, row)
    # The button that was pressed moves with its row, unless it is at its end and has none.
    stays = (found[1] == "up" and target > 1) or (found[1] == "down" and target < len(rows))
    return replace(form, rows=tuple(rows)), f"{found[1]}-{target}" if stays else f"option-{target}"


def begin(question_id: str) -> ItemForm:
    """Return the form of an item of which nothing is written yet."""
    return _with_rows(ItemForm(question_id))


def field_of(form: ItemForm, field: str) -> str:
    """Return the form's name of a fault's field, which counts the rows that are written."""
    name, _, number = field.partition("-")
    if not number:
        return name
    if not form.listed:
        return "answer" if name == "option" else name
    places = [place for place, row in enumerate(form.rows, 1) if not row.used(form.kind).is_empty]
    return f"{name}-{places[int(number) - 1]}" if places else "add"


def torn(form: ItemForm) -> list[str]:
    """Return the fields that would be read as something else, each tried by itself; none where the form is kept."""
    if is_kept(form):
        return []
    row = Row("This", partner="That" if form.kind == "matching" else "")
    sound = ItemForm("item-1", form.kind, stem="Which?", rows=(row,), answer="5")
    found = [name for name, text in _texts(form) if not is_kept(replace(sound, **{name: text}))]
    for place, written in enumerate(form.rows, 1):
        for name, text in _texts(written):
            if not is_kept(replace(sound, rows=(replace(row, **{name: text}),))):
                found.append(f"{'option' if name == 'text' else name}-{place}")
    return found or ["stem"]


def _texts(part: ItemForm | Row) -> list[tuple[str, Any]]:
    return [(name, text) for name, text in vars(part).items() if isinstance(text, str)]


def _of_draft(draft: Draft) -> ItemForm:
    value = {name: sent for name, (sent, _line_of_it, _column) in draft.fields.items()}
    form = ItemForm(
        id=draft.id,
        kind=draft.kind,
        task=value.get("Task", ""),
        difficulty=value.get("Difficulty", ""),
        lesson=value.get("Lesson", ""),
        fixed="Order" in value,
        enemies=value.get("Set", ""),
        case=value.get("Case", ""),
        tags=value.get("Tags", ""),
        stem="\n".join(draft.stem).strip(),
        proof="\n".join(draft.proof).strip(),
        explanation=" ".join(draft.explanation).strip(),
        today=" ".join(draft.today).strip(),
    )
    if form.listed:
        is_choice = form.kind == "choice"
        rows = tuple(Row(one.words, one.correct and is_choice, one.target, *_said(one)) for one in draft.lines)
        return replace(form, rows=rows)
    first = draft.lines[0] if draft.lines else Line(0, [])
    reason, claim = _said(first)
    answer = "\n".join(_SPELLING.findall(first.words)) if form.kind == "text" else first.words
    return replace(form, answer=answer, reason=reason, claim=claim)


def _said(line: Line) -> tuple[str, str]:
    return " ".join(line.rationale).strip(), line.claim


def _answer(form: ItemForm) -> list[Line]:
    """Return the one answer of a number or a text, or nothing where nothing is written."""
    words = form.answer
    if form.kind == "text":
        words = " or ".join(f"“{one}”" for one in words.split("\n")) if words else ""
    return [_line(words, form)] if words or form.reason or form.claim else []


def _line(text: str, beside: Row | ItemForm) -> Line:
    row = beside if isinstance(beside, Row) else Row(right=True)
    reason = [beside.reason] if beside.reason else []
    return Line(0, [text], row.right, row.partner, reason, beside.claim)


def _with_rows(form: ItemForm) -> ItemForm:
    """Return a form that has something to fill in, whatever its kind."""
    return form if form.rows else replace(form, rows=(Row(),) * FIRST_ROWS)
