"""``flask content``: check every file of the course."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from content import library
from content.faults import ContentError
from content.library import Library
from content.pages import Page
from content.render import Embed
from web.offers import offers

ROOT = Path(__file__).parent

group = AppGroup("content", help="Check the course.")


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=ROOT)
def check(folder: Path) -> None:
    """List every fault of every file in FOLDER with file, line and column; status 1 if there is one."""
    found, errors = library.load(folder)
    faults = sorted({*errors, *_unknown_embeds(found)}, key=lambda error: (str(error.path), error.line, error.column))
    for error in faults:
        click.echo(str(error), err=True)
    lessons = sum(1 for course in found.courses for _ in course.lessons())
    click.echo(f"{lessons} lessons, {len(found.notes)} notes, {len(faults)} faults.")
    sys.exit(1 if faults else 0)


def _unknown_embeds(found: Library) -> list[ContentError]:
    """Return the questions and labs that pages name and no room knows."""
    embeds = offers().embeds
    errors = []
    with current_app.test_request_context():
        for page in found.pages():
            for embed in page.rendered.parts:
                if not isinstance(embed, Embed) or embeds[embed.kind](embed.reference) is not None:
                    continue
                line, column = _place(page, f":::{embed.kind} {embed.reference}")
                sentence = f"There is no {embed.kind} “{embed.reference}”."
                errors.append(ContentError(page.path, line, column, sentence))
    return errors


def _place(page: Page, text: str) -> tuple[int, int]:
    for number, line in enumerate(page.path.read_text("utf-8").split("\n"), 1):
        if text in line:
            return number, line.index(text) + 1
    return 1, 1
