"""What an issue is made of, gathered: the running application's library and banks, and the labs on disk.

``extensions["library"]`` has ``current()``; ``extensions["banks"]`` is a function that returns the banks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import current_app

from content.library import Library
from labs import registry
from publisher import epub, issue
from publisher.epub import Edition
from publisher.issue import Issue, Lab

CHOICES = Path(__file__).with_name("issues")


def library() -> Library:
    """Return the application's library."""
    found: Library = current_app.extensions["library"].current()
    return found


def compose(month: str) -> Issue:
    """Return a month's issue; raise IssueError with the file's or the month's name where there can be none."""
    issue.check_month(month)
    banks = current_app.extensions["banks"]()
    return issue.compose(library(), banks, labs(), month, issue.load_choice(CHOICES, month))


@cache
def labs() -> tuple[Lab, ...]:
    """Return the labs of the catalog, read once a process."""
    return tuple(Lab(one.slug, one.title, one.summary) for one in registry.load()[0])


def build(month: str) -> Edition:
    """Make a month's book."""
    return epub.build(compose(month))
