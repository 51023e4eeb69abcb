"""Items as a deck for Anki: the question in front, the key and the reasons behind.

Anki knows a note again by its guid and takes over a newer one without touching what the learner has reached, if the
note type is the same one (genanki#157). So the ids of the note type and of the decks never change, the guid comes of
the item's id, and the time of the export is the note's time.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import genanki

from quizzes.formats import writing
from quizzes.formats.reading import Writing
from quizzes.questions import Item, Option

NOTE_TYPE = 1_607_392_319
"""The id of our note type. A new one would make every note a new one, without what was reached."""
_FIELDS = ("Id", "Question", "Answers", "Key", "Reasons", "Explanation")
_FRONT = "{{Question}}{{Answers}}"
_BACK = "{{FrontSide}}<hr id=answer>{{Key}}{{Reasons}}{{Explanation}}"
_STYLE = """
.card { font-family: sans-serif; font-size: 1.1em; line-height: 1.45; text-align: left; max-width: 40em; margin: auto; }
code, pre { font-family: monospace; }
pre { overflow-x: auto; }
table { border-collapse: collapse; }
td, th { border: 1px solid; padding: 0.2em 0.5em; }
"""
_CARRIED = frozenset({"task", "case", "tags", "unit", "rationales", "explanation", "today"})
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(items: Sequence[Item], moment: datetime | None = None) -> Writing:
    """Return an ``.apkg`` with a deck for each course; ``moment`` is when the items are as they are, now by default.

    The same items at the same moment make the same bytes.
    """
    moment = moment or datetime.now(UTC)
    courses = dict.fromkeys(item.question.course for item in items)
    decks = [_deck(course, [item for item in items if item.question.course == course]) for course in courses]
    found = []
    for number, item in enumerate(items, 1):
        found += writing.finding(number, item, writing.lost(item, _CARRIED), [])
    with tempfile.NamedTemporaryFile(suffix=".apkg") as file:
        genanki.Package(decks).write_to_file(file.name, timestamp=moment.timestamp())
        return Writing(_repacked(Path(file.name).read_bytes()), tuple(found))


def _deck(course: str, items: Sequence[Item]) -> genanki.Deck:
    deck = genanki.Deck(_stable_id(f"deck {course}"), f"Archway::{course or 'imported'}")
    for item in items:
        deck.add_note(_note(item))
    return deck


def _note(item: Item) -> genanki.Note:
    question, key = item.question, item.key
    remarks = [key.explanation, key.today]
    fields = [
        question.id,
        writing.case_html(item),
        _answers(item),
        f"<p><b>{_key(item)}</b></p>",
        _reasons(item),
        "".join(f"<p>{writing.line_html(text)}</p>" for text in remarks if text),
    ]
    tags = [*question.tags, f"task-{question.task}"] if question.task else list(question.tags)
    return genanki.Note(_note_type(), fields, guid=genanki.guid_for("archway", question.id), tags=tags)


def _note_type() -> genanki.Model:
    fields = [{"name": name} for name in _FIELDS]
    templates = [{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}]
    return genanki.Model(NOTE_TYPE, "Archway question", fields=fields, templates=templates, css=_STYLE)


def _answers(item: Item) -> str:
    """Return what one chooses from; a number and a text have none."""
    question = item.question
    options = "".join(f"<li>{writing.line_html(one.text)}</li>" for one in question.options)
    listed = f'<ol type="A">{options}</ol>' if options else ""
    partners = "".join(f"<li>{writing.line_html(one.text)}</li>" for one in question.targets)
    return f"{listed}<ol>{partners}</ol>" if partners else listed


def _key(item: Item) -> str:
    question, key = item.question, item.key
    if question.kind == "choice":
        return ", ".join(letter.upper() for letter in sorted(key.correct))
    if question.kind == "ordering":
        return ", ".join(letter.upper() for letter in key.answer)
    if question.kind == "matching":
        return ", ".join(f"{one.letter.upper()} – {target.letter}" for one, target in writing.partners(item))
    if question.kind == "numeric":
        tolerance = f" ± {key.tolerance}" if key.tolerance else ""
        return writing.escaped(f"{key.answer}{tolerance} {question.unit}".strip())
    return writing.escaped(" / ".join(sorted(key.correct)))


def _reasons(item: Item) -> str:
    """Return the rationales by their letters."""
    letters = [one.letter for one in item.question.options] or [""]
    given = [Option(letter, item.key.rationale(letter)) for letter in letters]
    named = [f"{one.letter.upper()}: " if one.letter else "" for one in given]
    pairs = zip(named, given, strict=True)
    return "".join(f"<p>{name}{writing.line_html(one.text)}</p>" for name, one in pairs if one.text)


def _stable_id(name: str) -> int:
    """Return an id as Anki wants it, between 2³⁰ and 2³¹, always the same for a name."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % (1 << 30)


def _repacked(data: bytes) -> bytes:
    """Return a zip file whose members have one date."""
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return stream.getvalue()
