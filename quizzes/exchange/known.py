"""The items that a file is compared with: those of the shipped banks and those of the studio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from quizzes.authoring import store as authoring
from quizzes.authoring.store import StudioBank
from quizzes.exchange.compare import Known
from quizzes.formats import markdown
from quizzes.questions import Bank, Item


def known(banks: Iterable[Bank], connection: Connection) -> Sequence[Known]:
    """Return every item with its place: ``saa/1-resilient.md:44``, or “the studio's bank caches”.

    An item of the studio that its author has not finished is no item yet.
    """
    found = [
        Known(f"{item.path.parent.name}/{item.path.name}:{item.line}", item)
        for bank in banks
        for item in bank.items
        if item.path is not None
    ]
    for bank in authoring.banks(connection):
        for draft in authoring.drafts(connection, bank.id):
            item = parsed(draft.text, bank.course, bank.cases)
            if item is not None:
                found.append(Known(f"{bank.slug} in the studio", item))
    return found


def bank_of(connection: Connection, bank: StudioBank) -> Bank:
    """Return a bank of the studio as a bank, without items that are not finished."""
    drafts = authoring.drafts(connection, bank.id)
    items = (parsed(draft.text, bank.course, bank.cases) for draft in drafts)
    return Bank(bank.slug, bank.title, bank.course, bank.pool, tuple(item for item in items if item is not None))


@lru_cache(maxsize=20_000)
def parsed(text: str, course: str, cases: str) -> Item | None:
    """Return the item of a draft's text, or None where it has faults; ``cases`` as in a bank's file."""
    return markdown.read_item(text, course, markdown.read_cases(cases), Path("studio"))[0]
