"""The editor's form for an issue: its rows from what was chosen, and the choice from what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from content.library import KINDS, Library, Note
from publisher.issue import Choice, issue_of

UP, DOWN = "up", "down"


@dataclass(frozen=True)
class Row:
    """An article in the form: whether it is printed, and whether it stands first or last in its kind."""

    note: Note
    printed: bool
    first: bool
    last: bool


@dataclass(frozen=True)
class Sent:
    """What the editor's form sends: slugs in the form's order, those to print, and texts."""

    order: tuple[str, ...]
    printed: frozenset[str]
    letter: str
    startups: str
    corrections: str
    move: str = ""
    """``up`` or ``down``, a space and the slug of the article that moves, or nothing."""


def candidates(library: Library, month: str, paused: Iterable[int] = ()) -> tuple[Note, ...]:
    """Return the articles that an issue of ``month`` may print."""
    return tuple(note for note in library.notes if issue_of(note.month, tuple(paused)) == month)


def rows(notes: Iterable[Note], choice: Choice) -> dict[str, list[Row]]:
    """Return the articles by the title of their kind, in the order in which they are printed."""
    by_slug = {note.slug: note for note in notes}
    kinds = list(KINDS)
    ordered = [by_slug[slug] for slug in dict.fromkeys((*choice.articles, *by_slug)) if slug in by_slug]
    found: dict[str, list[Row]] = {}
    for kind, group in groupby(sorted(ordered, key=lambda note: kinds.index(note.kind)), lambda note: note.kind):
        members = list(group)
        found[KINDS[kind]] = [
            Row(note, note.slug not in choice.leave_out, note is members[0], note is members[-1]) for note in members
        ]
    return found


def read(sent: Sent, notes: Sequence[Note], before: Choice) -> Choice:
    """Return the choice that a form makes; what it does not show stays as it was ``before``.

    Paragraphs of ``corrections`` are corrections; an unknown slug is left out.
    """
    known = {note.slug: note for note in notes}
    order = [slug for slug in dict.fromkeys((*sent.order, *known)) if slug in known]
    way, _, slug = sent.move.partition(" ")
    if slug in known:
        order = _moved(order, slug, way, {one: note.kind for one, note in known.items()})
    shown = set(sent.order)
    return replace(
        before,
        letter=_lines(sent.letter),
        articles=tuple(order),
        leave_out=tuple(one for one in order if one in shown and one not in sent.printed),
        startups=sent.startups,
        corrections=tuple(part.strip() for part in _lines(sent.corrections).split("\n\n") if part.strip()),
    )


def _moved(order: list[str], slug: str, way: str, kinds: dict[str, str]) -> list[str]:
    """Let an article change places with its neighbour of the same kind."""
    mine = [one for one in order if kinds[one] == kinds[slug]]
    place = mine.index(slug) + {UP: -1, DOWN: 1}.get(way, 0)
    if not 0 <= place < len(mine):
        return order
    swap = {slug: mine[place], mine[place]: slug}
    return [swap.get(one, one) for one in order]


def _lines(text: str) -> str:
    """Return a text as a form sends it with the line ends of files."""
    return text.replace("\r\n", "\n").strip()
