"""Banks and drafts of the studio in the database: what goes in comes out, and an import can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from content.workflow import Signature
from quizzes.authoring import store
from quizzes.authoring.models import DraftRow
from quizzes.authoring.store import StudioBank
from quizzes.formats import markdown
from quizzes.questions import Item, Key, Option, Question

BY = Signature(None, datetime(2018, 2, 12, tzinfo=UTC))
BARE = Item(
    Question("caching-1", "saa", "", "", "", "Which one?", (Option("a", "This"), Option("b", "That")), 1),
    Key(frozenset("a"), (("a", "It is."),), explanation="Both are near."),
)


@pytest.fixture
def connection(app: Flask) -> Iterator[Connection]:
    with app.extensions["database"].writing() as connection:
        yield connection


@pytest.fixture
def bank(connection: Connection) -> StudioBank:
    return store.create_bank(connection, StudioBank(0, "caches", "Caches", "saa", "exam", "", 0), BY)


def test_an_item_comes_back_from_its_text_as_it_was(connection: Connection, bank: StudioBank) -> None:
    store.add_items(connection, bank.id, [BARE], BY)
    draft = store.find_draft(connection, "caching-1")
    assert draft is not None
    item, faults = markdown.read_item(draft.text, "saa", {}, Path("caches.md"))
    assert faults == ()
    assert item is not None
    assert (item.question, item.key) == (BARE.question, BARE.key)


def test_a_taken_id_is_refused(connection: Connection, bank: StudioBank) -> None:
    store.add_items(connection, bank.id, [BARE], BY)
    with pytest.raises(IntegrityError):
        store.add_items(connection, bank.id, [BARE], BY)


def test_undoing_an_import_keeps_what_was_worked_on_since(connection: Connection, bank: StudioBank) -> None:
    items = [replace(BARE, question=replace(BARE.question, id=f"caching-{n}")) for n in (1, 2, 3)]
    ids = store.add_items(connection, bank.id, items, BY, import_id=7)
    connection.execute(update(DraftRow).where(DraftRow.id == ids[1]).values(revision=2))
    assert store.remove_import(connection, 7) == (2, ["caching-2"])
    assert [one.question_id for one in store.drafts(connection, bank.id)] == ["caching-2"]
