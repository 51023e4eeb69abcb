"""``flask backup``, ``flask restore`` and ``flask move-database``: copies of the whole database, and the way back."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

import db
from backups import archive, filling
from backups.archive import Manifest
from backups.rows import CopyError
from config import KEY_FILE, Settings
from db import Database, database
from web.clock import now
from web.lifecycle import lifecycle

_FILE = click.Path(dir_okay=False, path_type=Path)


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (backup, restore, move_database):
        app.cli.add_command(command)


@click.command()
@click.argument("file", type=_FILE)
@with_appcontext
def backup(file: Path) -> None:
    """Write all that the database holds, and the secret key, to FILE, while the site runs."""
    with _told(), database().reading() as connection:
        made = archive.make(connection, file, _rebuilt(), _settings().secret_key, now())
    click.echo(f"{file}: {_described(made)}, written and read back.")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--check", is_flag=True, help="Only read FILE to its end and say what it holds.")
@click.option("--replace", is_flag=True, help="Replace what the database holds, after a backup of it beside FILE.")
@with_appcontext
def restore(file: Path, *, check: bool, replace: bool) -> None:
    """Store what FILE, a backup, holds in the database, which must be empty. Stop the site before."""
    with _told():
        found = archive.check(file)
        filling.refuse_newer(found.schema)
        if check:
            click.echo(f"{file}: {_described(found)}, sound.")
            return
        with zipfile.ZipFile(file) as opened, database().writing() as connection:
            if not filling.is_empty(connection, _rebuilt()):
                _keep_before(connection, file, replace=replace)
            rows_of = partial(archive.rows_of, opened)
            stored = filling.fill(connection, _rebuilt(), found.schema, found.sums, rows_of)
            filling.compare(connection, stored, found.sums)
            db.migrate(connection)
            secret_key = archive.secret_key(opened)
        _keep_secret(secret_key)
    click.echo(f"{file}: {_described(found)}, restored. Start the site now; search is made anew.")


@click.command("move-database")
@click.argument("source", metavar="FROM")
@with_appcontext
def move_database(source: str) -> None:
    """Copy all of the database FROM, an address such as sqlite:////var/lib/archway.sqlite3, into this site's.

    This site's must be empty. Stop the site before. Every table is read back and compared.
    """
    with _told():
        origin = _existing(source)
        with origin.reading() as reading, database().writing() as writing:
            if not filling.is_empty(writing, _rebuilt()):
                raise CopyError(f"{_address(database().url)} is not empty; name an empty database to move into.")
            sums = filling.move(reading, writing, _rebuilt())
    width = max(map(len, sums))
    for name, one in sorted(sums.items()):
        click.echo(f"{name:{width}} {one.rows:>12,}  {one.sha256[:16]}")
    total = sum(one.rows for one in sums.values())
    click.echo(f"{len(sums)} tables, {total:,} rows: the same in {_address(database().url)}.")


def _existing(address: str) -> Database:
    """Return the database at an address; raise CopyError where that is none."""
    try:
        url = make_url(address)
    except ArgumentError:
        raise click.UsageError(f"“{address}” is no address of a database.") from None
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise click.UsageError(f"“{address}” begins neither with sqlite: nor with postgresql+psycopg:.")
    if url.drivername == "sqlite" and not Path(url.database or "").is_file():
        raise CopyError(f"{address} does not exist.")
    if url == make_url(database().url):
        raise CopyError("That is this site's own database; set ARCHWAY_DATABASE_URL to the one to move into.")
    return Database(address)


def _keep_before(connection: Connection, file: Path, *, replace: bool) -> None:
    """Keep what is in the database in a file beside ``file``; raise CopyError where it must not be replaced."""
    if not replace:
        raise CopyError(
            f"{_address(database().url)} is not empty; with --replace, what it holds is kept in a file and replaced."
        )
    filling.lock(connection, _rebuilt())
    kept = file.with_name(f"before-restore-{now():%Y%m%dT%H%M%SZ}.zip")
    archive.make(connection, kept, _rebuilt(), _settings().secret_key, now())
    click.echo(f"{kept}: what the database held.")


def _keep_secret(secret_key: str) -> None:
    path = _settings().instance / KEY_FILE
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secret_key, "ascii")
    draft.replace(path)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what may go wrong into one sentence."""
    try:
        yield
    except CopyError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None
    except DBAPIError as error:
        sentence = str(error.orig).strip().partition("\n")[0]
        raise click.ClickException(f"The database cannot be used: {sentence}. Nothing was changed.") from None


def _described(manifest: Manifest) -> str:
    count = len(manifest.sums)
    return f"{count} tables, {manifest.rows:,} rows, schema {manifest.schema}, of {manifest.made_at:%Y-%m-%d %H:%M} UTC"


def _rebuilt() -> set[str]:
    return lifecycle(current_app).rebuilt


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def _address(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
