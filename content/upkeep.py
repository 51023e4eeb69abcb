"""The last sound state of each file, kept in the database, so that a slip of an author outlives no restart as a gap."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from content.models import SoundFileRow
from db import Database

log = logging.getLogger(__name__)


def recall(database: Database, root: Path, path: Path) -> str | None:
    """Return the text of a file's last sound state, or None where none is kept or the database cannot be asked."""
    wanted = select(SoundFileRow.text).where(SoundFileRow.path == str(path.relative_to(root)))
    try:
        with database.reading() as connection:
            return connection.execute(wanted).scalar()
    except DBAPIError as error:
        log.warning("What %s last was cannot be asked of the database: %s", path, error.orig)
        return None


def keep(database: Database, root: Path, texts: Mapping[Path, str]) -> None:
    """Store the texts of files that are sound now, and forget those of files that are no more."""
    with database.reading() as connection:
        rows = connection.execute(select(SoundFileRow.path, SoundFileRow.text))
        known = {root / row.path: row.text for row in rows}
    changed = {path: text for path, text in texts.items() if known.get(path) != text}
    left = [path for path in known if not path.is_file()]
    if not changed and not left:
        return
    with database.writing() as connection:
        for path, text in changed.items():
            row = {"path": str(path.relative_to(root)), "text": text}
            statement = database.upsert(SoundFileRow).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["path"], set_={"text": text}))
        for path in left:
            connection.execute(delete(SoundFileRow).where(SoundFileRow.path == str(path.relative_to(root))))
