"""Decks for Anki: opened as Anki opens them, a zip file with a database."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from quizzes.formats import anki, markdown
from quizzes.questions import Item

MOMENT = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
Note = tuple[str, int, int, str, str]


def items(bank: str = "architectures/1-analytics-on-shared-data") -> list[Item]:
    path = Path("quizzes/banks") / f"{bank}.md"
    return list(markdown.read(path.read_text("utf-8"), path)[0].items)


def notes(data: bytes, folder: Path) -> dict[str, Note]:
    """Return each note's guid, note type, time, fields and tags by its item's id."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extract("collection.anki2", folder)
    with closing(sqlite3.connect(folder / "collection.anki2")) as connection:
        rows = connection.execute("SELECT guid, mid, mod, flds, tags FROM notes").fetchall()
        cards = connection.execute("SELECT count(*), count(DISTINCT nid), count(DISTINCT did) FROM cards").fetchone()
    assert cards == (len(rows), len(rows), 1)
    return {row[3].split("\x1f")[0]: row for row in rows}


def test_every_item_is_a_note_with_its_key_behind(tmp_path: Path) -> None:
    bank = items()
    found = notes(anki.write(bank, MOMENT).data, tmp_path)
    assert set(found) == {item.question.id for item in bank}
    _id, question, answers, key, reasons, _explanation = found["arc-1-001"][3].split("\x1f")
    assert "observatory" in question
    assert answers.count("<li>") == 4
    assert key == "<p><b>C</b></p>"
    assert "C: Right: without it" in reasons
    assert "a name counts only with a ticket" not in question + answers


def test_a_changed_rationale_keeps_the_guid_and_moves_the_time_on(tmp_path: Path) -> None:
    bank = items()
    changed = replace(bank[0], key=replace(bank[0].key, rationales=(("a", "Told anew."),)))
    before = notes(anki.write(bank, MOMENT).data, tmp_path)
    after = notes(anki.write([changed, *bank[1:]], MOMENT + timedelta(days=1)).data, tmp_path)
    old, new = before["arc-1-001"], after["arc-1-001"]
    assert (new[0], new[1]) == (old[0], old[1])
    assert new[2] == old[2] + 86_400
    assert "Told anew." in new[3]


def test_guids_stay_when_items_are_added_or_put_into_another_order(tmp_path: Path) -> None:
    bank = items()
    some = notes(anki.write(bank[3:6], MOMENT).data, tmp_path)
    every = notes(anki.write(bank[::-1], MOMENT).data, tmp_path)
    assert {name: every[name][:2] for name in some} == {name: note[:2] for name, note in some.items()}
    assert len({note[0] for note in every.values()}) == len(bank)


def test_the_note_type_is_the_one_that_learners_have(tmp_path: Path) -> None:
    # Another number would give every learner their notes a second time, without what they have reached.
    assert {note[1] for note in notes(anki.write(items(), MOMENT).data, tmp_path).values()} == {1_607_392_319}


def test_words_of_an_item_are_no_html_in_a_card(tmp_path: Path) -> None:
    item = items()[0]
    hostile = replace(item, question=replace(item.question, stem="<script>alert(1)</script> {{Key}}"))
    fields = notes(anki.write([hostile], MOMENT).data, tmp_path)["arc-1-001"][3]
    assert "<script" not in fields
    assert "&lt;script&gt;" in fields


def test_the_same_items_at_the_same_moment_make_the_same_bytes() -> None:
    assert anki.write(items(), MOMENT).data == anki.write(items(), MOMENT).data


def test_what_a_card_does_not_carry_is_said() -> None:
    found = anki.write(items(), MOMENT).findings
    assert "not carried are difficulty, lesson" in found[0].sentence
