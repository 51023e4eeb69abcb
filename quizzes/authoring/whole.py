"""A bank of the studio as one Markdown text: written out, taken apart again, and compared with what is kept; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from content.errors import ContentError
from quizzes.authoring import checking
from quizzes.authoring.checking import Checked, Surroundings
from quizzes.authoring.store import Draft, StudioBank
from quizzes.formats import markdown

MAXIMUM_CHARACTERS = 2_000_000
_PATH = Path("bank")
_HEADING = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """A part of a bank's text from a heading of the second level on: an item, or a case."""

    heading: str
    line: int
    text: str


@dataclass(frozen=True)
class Parts:
    """What a bank's text consists of; ``faults`` are those of its front matter and of its headings."""

    fields: Mapping[str, str]
    items: tuple[Piece, ...]
    cases: tuple[Piece, ...]
    faults: tuple[ContentError, ...]

    @property
    def cases_text(self) -> str:
        """The Markdown of the cases, as the bank keeps it."""
        return "\n".join(one.text for one in self.cases)


@dataclass(frozen=True)
class Plan:
    """What keeping a text would change, and what somebody else has changed meanwhile.

    ``stale`` are items that the text has as they were, while somebody else has changed, added or retired them.
    """

    new: tuple[Piece, ...] = ()
    changed: tuple[tuple[Draft, Piece], ...] = ()
    gone: tuple[Draft, ...] = ()
    conflicts: tuple[tuple[Draft, Piece | None], ...] = ()
    stale: tuple[Draft, ...] = ()

    def only(self, sound: Sequence[Piece]) -> Plan:
        """Return the plan for these pieces alone, which takes nothing away."""
        changed = tuple((draft, piece) for draft, piece in self.changed if piece in sound)
        return replace(self, new=tuple(one for one in self.new if one in sound), changed=changed, gone=())


def is_whole(draft: Draft) -> bool:
    """Return whether a draft can stand in the bank's text: it begins with its heading and has no other."""
    return draft.text.startswith(f"## {draft.question_id}\n") and len(_HEADING.findall(draft.text)) == 1


def write(bank: StudioBank, drafts: Sequence[Draft]) -> str:
    """Return a bank's text: front matter, cases, and the items that are not retired."""
    head = markdown.write_head(bank.title, bank.course, bank.pool)
    texts = [one.text for one in drafts if _stands(one)]
    return "\n".join([head, *([bank.cases] if bank.cases.strip() else []), *texts])


def split(text: str, bank: StudioBank) -> Parts:
    """Take a bank's text apart; what names the bank's course and pool must stay as it is."""
    fields, start, found = markdown.read_head(text, _PATH)
    faults = [*found, *_changed_fields(text, fields, bank)]
    lines = text.split("\n")
    headings = [number for number, line in enumerate(lines[start:], start) if line.startswith("## ")]
    pieces = [_piece(lines, first, last) for first, last in pairwise([*headings, len(lines)])]
    before = lines[start : headings[0] if headings else len(lines)]
    stray = next((number for number, line in enumerate(before, start + 1) if line.strip()), None)
    if stray is not None:
        sentence = "Text before the first item belongs to none; start the item with “## its-id”."
        faults.append(ContentError(_PATH, stray, 1, sentence))
    faults += _twice(pieces)
    items = tuple(one for one in pieces if not markdown.is_case(one.heading))
    return Parts(fields, items, tuple(one for one in pieces if one not in items), tuple(faults))


def check(parts: Parts, around: Surroundings, known: Sequence[str], elsewhere: Sequence[str]) -> dict[Piece, Checked]:
    """Return what is to be said of each item, at the lines of the whole text.

    ``known`` are the ids of the bank's own items, ``elsewhere`` those that only a new item must not have.
    """
    around = replace(around, cases=checking.cases(parts.cases_text))
    unknown = replace(around, question_id="", taken={*around.taken, *elsewhere} - set(known))
    return {
        one: _moved(checking.check(one.text, replace(around, question_id=one.heading)), one.line - 1)
        if one.heading in known
        else _moved(checking.check(one.text, unknown), one.line - 1)
        for one in parts.items
    }


def plan(parts: Parts, drafts: Sequence[Draft], base: Mapping[str, Draft]) -> Plan:
    """Compare a text with the bank as it is now and with ``base``, the items as they were when the text was begun."""
    written = {one.heading: one for one in parts.items}
    present = {one.question_id: one for one in drafts}
    new = tuple(piece for name, piece in written.items() if name not in present)
    changed, gone, conflicts, stale = [], [], [], []
    for name, draft in present.items():
        piece, before = written.get(name), base.get(name)
        if _same(piece, draft):
            continue
        if before is not None and _unmoved(before, draft):
            if piece is not None:
                changed.append((draft, piece))
            else:
                gone.append(draft)
        elif _same(piece, before):
            stale.append(draft)
        else:
            conflicts.append((draft, piece))
    return Plan(new, tuple(changed), tuple(gone), tuple(conflicts), tuple(stale))


def merged(text: str, parts: Parts, plan: Plan, bank: StudioBank | None = None) -> str:
    """Return a text with what somebody else has changed meanwhile where its author had changed nothing.

    An item that its author took out and somebody else has changed stands in it again. ``bank`` is given where its
    title and cases are to be as somebody else has left them.
    """
    theirs = {one.question_id: one for one in plan.stale}
    back = [draft for draft, piece in plan.conflicts if piece is None]
    pieces = sorted((*parts.items, *(() if bank else parts.cases)), key=lambda one: one.line)
    texts = [write(bank, ()) if bank else _before(text)]
    for piece in pieces:
        draft = theirs.pop(piece.heading, None)
        if draft is None or _stands(draft):
            texts.append(piece.text if draft is None else draft.text)
    return "\n".join([*texts, *(one.text for one in (*theirs.values(), *back) if _stands(one))])


def _before(text: str) -> str:
    """Return what stands before the first heading."""
    found = _HEADING.search(text)
    return text[: found.start() if found else None].rstrip() + "\n"


def _stands(draft: Draft) -> bool:
    """Return whether the bank's text has a draft."""
    return draft.state != "retired" and is_whole(draft)


def _unmoved(before: Draft, now: Draft) -> bool:
    return (before.revision, before.state == "retired") == (now.revision, now.state == "retired")


def _same(piece: Piece | None, draft: Draft | None) -> bool:
    """Return whether the text has an item as a draft is, or has none where there is none to have."""
    if draft is None or not _stands(draft):
        return piece is None
    return piece is not None and piece.text == draft.text


def _piece(lines: Sequence[str], first: int, last: int) -> Piece:
    return Piece(lines[first][3:].strip(), first + 1, "\n".join(lines[first:last]).strip() + "\n")


def _changed_fields(text: str, fields: Mapping[str, str], bank: StudioBank) -> Iterator[ContentError]:
    for name, value in (("course", bank.course), ("pool", bank.pool)):
        if fields[name] != value:
            yield checking.at(text, f"{name}:", f"The {name} of a bank stays; it is “{value}”.")
    if not 0 < len(fields["title"]) <= checking.MAXIMUM_TITLE:
        yield checking.at(text, "title:", f"A title has 1 to {checking.MAXIMUM_TITLE} characters.")


def _twice(pieces: Sequence[Piece]) -> Iterator[ContentError]:
    counts: Counter[str] = Counter()
    for one in pieces:
        counts[one.heading] += 1
        if counts[one.heading] > 1:
            yield ContentError(_PATH, one.line, 4, f"“{one.heading}” stands twice in this bank.")


def _moved(checked: Checked, lines: int) -> Checked:
    """Return findings at the lines of the text that the item begins after so many lines of."""
    return replace(
        checked,
        faults=tuple(replace(one, line=one.line + lines) for one in checked.faults),
        advice=tuple(replace(one, line=one.line + lines) for one in checked.advice),
    )
