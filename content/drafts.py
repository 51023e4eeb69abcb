"""Pages as instructors write them in the studio: drafts, their history, remarks, and what readers get of them."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from content import workflow
from content.models import PageDraftRow, PageRemarkRow, PageRevisionRow
from content.workflow import PUBLIC, Remark, Revision, Said, Signature
from db import Database

log = logging.getLogger(__name__)

_NOTE = re.compile(r"notes/\d{4}-(0[1-9]|1[0-2])-[a-z0-9]+(-[a-z0-9]+)*\.md")


@dataclass(frozen=True)
class PageDraft:
    """A page of the studio as it stands; ``public`` is the revision that readers get in place of the file, if any."""

    id: int
    path: str
    text: str
    revision: int
    state: str
    public: int | None
    origin: str
    person_id: int | None
    changed_at: datetime


_DRAFT = select(
    *(PageDraftRow.id, PageDraftRow.path, PageDraftRow.text, PageDraftRow.revision, PageDraftRow.state),
    *(PageDraftRow.public, PageDraftRow.origin, PageDraftRow.person_id, PageDraftRow.changed_at),
)


def digest(text: str) -> str:
    """Return the SHA-256 of a file's text, by which a change is noticed; nothing for no text."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def note_path(month: str, slug: str) -> str | None:
    """Return the path of a note's file, or None where month and slug make none."""
    path = f"notes/{month}-{slug}.md"
    return path if _NOTE.fullmatch(path) and len(slug) <= 80 else None


def every(connection: Connection) -> dict[str, PageDraft]:
    """Return every draft by its path."""
    found = [PageDraft(*row) for row in connection.execute(_DRAFT.order_by(PageDraftRow.path))]
    return {one.path: one for one in found}


def find(connection: Connection, path: str) -> PageDraft | None:
    """Return the draft of a page, or None."""
    row = connection.execute(_DRAFT.where(PageDraftRow.path == path)).first()
    return None if row is None else PageDraft(*row)


def begin(connection: Connection, path: str, text: str, origin: str, by: Signature) -> None:
    """Store the first text of a page's draft; raise IntegrityError where the page has a draft already."""
    values = {"path": path, "text": text, "revision": 1, "state": "draft", "origin": origin}
    made = insert(PageDraftRow).values(**values, person_id=by.person_id, changed_at=by.at).returning(PageDraftRow.id)
    _keep_revision(connection, connection.execute(made).scalar_one(), 1, text, by)


def edit(connection: Connection, draft: PageDraft, text: str, revision: int, by: Signature) -> bool:
    """Give a page a new text, which makes a draft of it; return False where it has changed since ``revision``.

    What readers get stays as it is.
    """
    values = {"text": text, "revision": revision + 1, "state": "draft", "person_id": by.person_id, "changed_at": by.at}
    if not _change(connection, draft, revision, values):
        return False
    _keep_revision(connection, draft.id, revision + 1, text, by)
    return True


def step(connection: Connection, draft: PageDraft, action: str, said: Said, by: Signature) -> bool:
    """Take a step of the workflow, with what is said of it; return False where the page has changed.

    Publication gives readers the draft's text, retirement the file's again (or nothing, where there is no file).
    Raises ValueError where the step is not possible in the page's state.
    """
    values: dict[str, Any] = {"state": workflow.after(action, draft.state)}
    if action in PUBLIC:
        values["public"] = draft.revision if action == "publish" else None
    if not _change(connection, draft, draft.revision, values):
        return False
    row = {"draft_id": draft.id, "revision": draft.revision, "kind": action, "text": said.text, "line": said.line}
    connection.execute(insert(PageRemarkRow).values(**row, person_id=by.person_id, made_at=by.at))
    return True


def accept_file(connection: Connection, draft: PageDraft, origin: str) -> None:
    """Note that a draft has what its author wants of the file as it is now."""
    connection.execute(update(PageDraftRow).where(PageDraftRow.id == draft.id).values(origin=origin))


def revisions(connection: Connection, draft: PageDraft) -> list[Revision]:
    """Return a page's texts, the newest first."""
    row = PageRevisionRow
    found = select(row.revision, row.text, row.person_id, row.written_at).where(row.draft_id == draft.id)
    return [Revision(*one) for one in connection.execute(found.order_by(row.revision.desc()))]


def remarks(connection: Connection, draft: PageDraft) -> list[Remark]:
    """Return what was said and decided of a page, in its order."""
    row = PageRemarkRow
    columns = (row.revision, row.kind, row.text, row.person_id, row.made_at, row.line)
    found = connection.execute(select(*columns).where(row.draft_id == draft.id).order_by(row.id))
    said = [Remark(*one) for one in found]
    return workflow.quote(said, revisions(connection, draft)) if any(one.line for one in said) else said


def state(connection: Connection) -> tuple[int, int]:
    """Return two numbers of which one changes with every publication and retirement, in one cheap statement.

    Both are needed: of two transactions the one with the lower id may be committed last.
    """
    row = PageRemarkRow
    found = select(func.count(), func.coalesce(func.max(row.id), 0)).where(row.kind.in_(PUBLIC))
    count, last = connection.execute(found).one()
    return count, last


def published(connection: Connection) -> dict[str, str]:
    """Return the texts that readers get in place of files, by path."""
    text = and_(PageRevisionRow.draft_id == PageDraftRow.id, PageRevisionRow.revision == PageDraftRow.public)
    found = select(PageDraftRow.path, PageRevisionRow.text).join(PageRevisionRow, text)
    return {row.path: row.text for row in connection.execute(found)}


@dataclass
class Overlay:
    """Asks the database what was published, whenever the library looks whether its files have changed.

    Other processes publish too. While the database does not answer, what was known stays.
    """

    database: Database
    root: Path
    _known: tuple[int, int] = field(default=(0, 0))

    def __call__(self, laid: Mapping[str, str]) -> Mapping[str, str]:
        """Return the texts over the files of ``root``, or ``laid`` where nothing was published since."""
        try:
            with self.database.reading() as connection:
                found = state(connection)
                if found == self._known:
                    return laid
                texts = published(connection)
        except DBAPIError as error:
            log.info("What the studio has published cannot be asked of the database: %s", error.orig)
            return laid
        self._known = found
        return {str(self.root / path): text for path, text in texts.items()}


def _change(connection: Connection, draft: PageDraft, revision: int, values: dict[str, Any]) -> bool:
    """Change a page that still has this text and state."""
    row = PageDraftRow
    same = (row.id == draft.id, row.revision == revision, row.state == draft.state)
    return connection.execute(update(row).where(*same).values(values)).rowcount == 1


def _keep_revision(connection: Connection, draft_id: int, revision: int, text: str, by: Signature) -> None:
    values = {"draft_id": draft_id, "revision": revision, "text": text}
    connection.execute(insert(PageRevisionRow).values(**values, person_id=by.person_id, written_at=by.at))
