"""The last sound state of each file, kept in the database, so that a slip of an author outlives no restart as a gap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import delete, select

from content.models import SoundFileRow
from db import Database


def recall(database: Database, root: Path) -> dict[Path, str]:
    """Return the texts of the files' last sound states, by path."""
    with database.reading() as connection:
        rows = connection.execute(select(SoundFileRow.path, SoundFileRow.text)).all()
    return {root / row.path: row.text for row in rows}


def keep(database: Database, root: Path, texts: Mapping[Path, str]) -> None:
    """Store the texts of files that are sound now, and forget those of files that are no more."""
    known = recall(database, root)
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
