"""The banks that there are, shipped and of the studio, and their items with their places."""

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


def named(shipped: Iterable[Bank], connection: Connection) -> list[tuple[str, str]]:
    """Return every bank as (name, title), those of the studio first; a shipped one is named ``course/bank``."""
    studio = [(bank.slug, bank.title) for bank in authoring.banks(connection)]
    return [*studio, *((_name(bank), bank.title) for bank in shipped)]


def find(shipped: Iterable[Bank], connection: Connection, name: str) -> Bank | None:
    """Return the bank of that name, or None; one of the studio's comes without items that are not finished."""
    files = next((bank for bank in shipped if _name(bank) == name), None)
    found = authoring.find_bank(connection, name) if files is None else None
    return _studio_bank(connection, found) if found else files


def _name(bank: Bank) -> str:
    return f"{bank.course}/{bank.slug}"


def _studio_bank(connection: Connection, bank: StudioBank) -> Bank:
    drafts = authoring.drafts(connection, bank.id)
    items = (parsed(draft.text, bank.course, bank.cases) for draft in drafts)
    return Bank(bank.slug, bank.title, bank.course, bank.pool, tuple(item for item in items if item is not None))


@lru_cache(maxsize=20_000)
def parsed(text: str, course: str, cases: str) -> Item | None:
    """Return the item of a draft's text, or None where it has faults; ``cases`` as in a bank's file."""
    return markdown.read_item(text, course, markdown.read_cases(cases), Path("studio"))[0]
