"""The catalogue for reading programs: Atom with enclosures, and OPDS 1.2 and 2.0, of the same issues.

Atom is RFC 4287; a file's SHA-256 stands in the ``hash`` element of Metalink (RFC 5854), which other readers skip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template

TYPES = {
    "atom": "application/atom+xml",
    "opds": "application/atom+xml;profile=opds-catalog;kind=acquisition",
    "opds2": "application/opds+json",
    "epub": "application/epub+zip",
}
"""Media types by the names of the feeds, and of what they lead to."""


@dataclass(frozen=True)
class Entry:
    """An issue in the catalogue; addresses are absolute, ``size`` is in bytes, ``position`` that in the series."""

    identifier: str
    title: str
    summary: str
    languages: tuple[str, ...]
    issued: datetime
    updated: datetime
    page: str
    book: str
    cover: str
    size: int
    sha256: str
    position: float


@dataclass(frozen=True)
class Catalogue:
    """What the feeds say of themselves, and all they list; ``made`` is the time of one without entries."""

    identifier: str
    title: str
    subtitle: str
    author: str
    home: str
    atom: str
    opds: str
    opds2: str
    made: datetime
    entries: Sequence[Entry]

    @property
    def latest(self) -> datetime:
        """When anything in it changed last."""
        return max((one.updated for one in self.entries), default=self.made)


def atom(catalogue: Catalogue) -> str:
    """Return an Atom feed; each entry leads to the issue's page and encloses its book."""
    return render_template("publisher/feed.xml", catalogue=catalogue, types=TYPES, moment=_moment, is_opds=False)


def opds(catalogue: Catalogue) -> str:
    """Return an OPDS 1.2 acquisition feed that is complete, so that nobody need turn pages."""
    return render_template("publisher/feed.xml", catalogue=catalogue, types=TYPES, moment=_moment, is_opds=True)


def opds2(catalogue: Catalogue) -> str:
    """Return an OPDS 2.0 feed in JSON."""
    feed = {
        "metadata": {"title": catalogue.title, "subtitle": catalogue.subtitle, "modified": _moment(catalogue.latest)},
        "links": [
            {"rel": "self", "href": catalogue.opds2, "type": TYPES["opds2"]},
            {"rel": "alternate", "href": catalogue.opds, "type": TYPES["opds"]},
        ],
        "publications": [_publication(catalogue, one) for one in catalogue.entries],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def _publication(catalogue: Catalogue, one: Entry) -> dict[str, Any]:
    return {
        "metadata": {
            "@type": "http://schema.org/PublicationIssue",
            "identifier": one.identifier,
            "title": one.title,
            "description": one.summary,
            "author": catalogue.author,
            "publisher": catalogue.author,
            "language": list(one.languages),
            "published": _moment(one.issued),
            "modified": _moment(one.updated),
            "belongsTo": {"series": {"name": catalogue.title, "position": one.position}},
        },
        "links": [
            {
                "rel": "http://opds-spec.org/acquisition/open-access",
                "href": one.book,
                "type": TYPES["epub"],
                "size": one.size,
                "properties": {"hash": [{"algorithm": "sha256", "value": one.sha256}]},
            },
            {"rel": "alternate", "href": one.page, "type": "text/html"},
        ],
        "images": [{"href": one.cover, "type": "image/jpeg", "width": 640, "height": 1024}],
    }


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
