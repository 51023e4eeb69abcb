"""``flask content``: check every file of the course."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from content import archive, library
from content.errors import ContentError
from content.library import Library
from content.pages import Page
from content.render import Embed
from web.offers import offers

ROOT = Path(__file__).parent

_UNKNOWN = {"measured": "There is no evidence of “{named}”; run “flask quizzes prove --changed”."}

group = AppGroup("content", help="Check the course.")


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=ROOT)
def check(folder: Path) -> None:
    """List every fault of every file in FOLDER with file, line and column; status 1 if there is one."""
    found, errors = library.load(folder)
    copied = [fault for page in found.pages() for fault in archive.faults(page.path, _own_words(page))]
    everything = {*errors, *copied, *_unknown_embeds(found)}
    faults = sorted(everything, key=lambda error: (str(error.path), error.line, error.column))
    for error in faults:
        click.echo(str(error), err=True)
    lessons = sum(1 for course in found.courses for _ in course.lessons())
    click.echo(f"{lessons} lessons, {len(found.notes)} notes, {len(faults)} faults.")
    sys.exit(1 if faults else 0)


@group.command()
@click.argument("archive_file", metavar="ARCHIVE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def fingerprint(archive_file: Path) -> None:
    """Take the fingerprint of ARCHIVE, the posts whose words no text here may repeat."""
    archive.FINGERPRINT.write_bytes(archive.fingerprint(archive_file.read_text("utf-8")))


def _own_words(page: Page) -> str:
    """Return a page's file but for the rows of a timetable, which give the titles of talks as they are."""
    text = page.path.read_text("utf-8")
    return re.sub(r"(?m)^\|.*$", "", text) if page.path.parent.name == "talks" else text


def _unknown_embeds(found: Library) -> list[ContentError]:
    """Return the questions, labs and measurements that pages name and no room knows."""
    with current_app.test_request_context():
        return [one for page in found.pages() for one in unknown_embeds(page, page.path.read_text("utf-8"))]


def unknown_embeds(page: Page, text: str) -> Iterator[ContentError]:
    """Yield the questions, labs and measurements that a page of this text names and no room knows."""
    embeds = offers().embeds
    for embed in page.rendered.parts:
        if not isinstance(embed, Embed) or embeds[embed.kind](embed.reference) is not None:
            continue
        named = embed.reference.partition("\n")[0]
        line, column = _place(text, f":::{embed.kind} {named}")
        sentence = _UNKNOWN.get(embed.kind, "There is no {kind} “{named}”.")
        yield ContentError(page.path, line, column, sentence.format(kind=embed.kind, named=named))


def _place(whole: str, text: str) -> tuple[int, int]:
    for number, line in enumerate(whole.split("\n"), 1):
        if text in line:
            return number, line.index(text) + 1
    return 1, 1
