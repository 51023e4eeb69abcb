"""Search over everything there is to read: one function, two engines, SQLite's FTS5 and PostgreSQL's tsvector.

Both are given stems, so that they agree on what matches; of very many matches a bounded number is ranked.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text

from content.models import IndexedPageRow, PassageRow
from content.render import Section
from content.stemming import stems
from db import in_turns

TABLES = frozenset({"content_indexed_page", "content_passage", "content_words"}) | {
    f"content_words_{part}" for part in ("config", "content", "data", "docsize", "idx")
}
"""Every table of the index; the last five are FTS5's own, under the words."""
CANDIDATES = 2000
"""So many matches in titles and headings, and so many in texts, are ranked: of 200,000 passages that took 10 ms."""
SNIPPET = 240
"""Characters of a passage that a hit shows."""
MAXIMUM_WORDS = 16
PER_PAGE = 2
"""Hits of one page that are shown, so that a page about a subject does not hide all others."""
_QUERY = re.compile(r'"([^"]*)"|“([^”]*)”|([^\s"“”]+)')


@dataclass(frozen=True)
class Document:
    """A page as search knows it: where it is, what it is called, where it belongs, and its words by headings."""

    address: str
    title: str
    place: str
    language: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Fragment:
    """A piece of a snippet; ``found`` where the query's words stand."""

    text: str
    found: bool


@dataclass(frozen=True)
class Hit:
    """A passage that matches: the section of a page, and the words around the match."""

    address: str
    title: str
    heading: str
    place: str
    language: str
    snippet: tuple[Fragment, ...]


@dataclass(frozen=True)
class Query:
    """What is looked for: phrases of stems (of one stem, for a word alone), all of which must stand in a passage."""

    phrases: tuple[tuple[str, ...], ...]

    @property
    def stems(self) -> frozenset[str]:
        """Every stem of the query."""
        return frozenset(one for phrase in self.phrases for one in phrase)


def parse(words: str) -> Query:
    """Read what a person typed: words, and phrases in quotation marks; whatever else it holds is ignored."""
    phrases: list[tuple[str, ...]] = []
    for match in _QUERY.finditer(words):
        found = tuple(one for one, _, _ in stems(match[1] or match[2] or match[3] or ""))
        if found:
            phrases.append(found)
    return Query(tuple(dict.fromkeys(phrases))[:MAXIMUM_WORDS])


def index(connection: Connection, documents: Iterable[Document]) -> int:
    """Bring the index up to what ``documents`` say; return how many pages were written or removed."""
    # Of two servers that start at once the second finds everything written.
    in_turns(connection, "search index")
    wanted = {one.address: (one, _digest(one)) for one in documents}
    known = {row.address: row.digest for row in connection.execute(select(IndexedPageRow))}
    gone = [address for address in known if address not in wanted]
    changed = [one for one, digest in wanted.values() if known.get(one.address) != digest]
    for address in (*gone, *(one.address for one in changed if one.address in known)):
        _remove(connection, address)
    for one in changed:
        _add(connection, one, wanted[one.address][1])
    return len(gone) + len(changed)


def stale(connection: Connection, documents: Iterable[Document]) -> bool:
    """Return whether the index differs from what ``documents`` say."""
    known = {row.address: row.digest for row in connection.execute(select(IndexedPageRow))}
    return known != {one.address: _digest(one) for one in documents}


def find(connection: Connection, words: str, limit: int = 20) -> list[Hit]:
    """Return the best passages for a query, at most ``limit`` and few of one page.

    Where none holds all its words, those that hold some are returned.
    """
    query = parse(words)
    if not query.phrases:
        return []
    ranked = _ranked(connection, query, limit * PER_PAGE, every=True)
    if not ranked and len(query.phrases) > 1:
        ranked = _ranked(connection, query, limit * PER_PAGE, every=False)
    rows = {row.id: row for row in connection.execute(_PASSAGES, {"ids": ranked})}
    chosen = _varied([rows[one] for one in ranked if one in rows])
    return [_hit(row, query) for row in chosen[:limit]]


def _varied(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Return the passages without those of a page that has better ones enough."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.address] += 1
        if seen[row.address] <= PER_PAGE:
            kept.append(row)
    return kept


_PASSAGES = select(*PassageRow.__table__.columns).where(PassageRow.id.in_(bindparam("ids", expanding=True)))
_FTS5 = text(
    f"""
    SELECT id FROM (
        SELECT id, min(score) AS score FROM (
            SELECT * FROM (SELECT rowid AS id, bm25(content_words, 8.0, 4.0, 1.0) AS score FROM content_words
                           WHERE content_words MATCH :named LIMIT {CANDIDATES})
            UNION ALL
            SELECT * FROM (SELECT rowid AS id, bm25(content_words, 8.0, 4.0, 1.0) AS score FROM content_words
                           WHERE content_words MATCH :anywhere LIMIT {CANDIDATES})
        ) GROUP BY id
    ) ORDER BY score, id LIMIT :limit
    """  # noqa: S608 (a number of ours)
)
_TSVECTOR = text(
    f"""
    SELECT id FROM (
        (SELECT passage_id AS id, words FROM content_words WHERE words @@ to_tsquery('simple', :named)
         LIMIT {CANDIDATES})
        UNION
        (SELECT passage_id AS id, words FROM content_words WHERE words @@ to_tsquery('simple', :anywhere)
         LIMIT {CANDIDATES})
    ) AS candidates
    ORDER BY ts_rank_cd('{{0.1, 0.2, 0.4, 1.0}}', words, to_tsquery('simple', :anywhere), 1) DESC, id LIMIT :limit
    """  # noqa: S608 (a number of ours)
)


def _ranked(connection: Connection, query: Query, limit: int, *, every: bool) -> list[int]:
    """Return the ids of the best passages, the best first."""
    if connection.dialect.name == "postgresql":
        joined = (" & " if every else " | ").join(f"({' <-> '.join(phrase)})" for phrase in query.phrases)
        named = re.sub(r"([^\s()&|<>-]+)", r"\1:AB", joined)
        values = {"named": named, "anywhere": joined, "limit": limit}
        return list(connection.execute(_TSVECTOR, values).scalars())
    joined = (" AND " if every else " OR ").join(f'"{" ".join(phrase)}"' for phrase in query.phrases)
    values = {"named": f"{{title heading}} : ({joined})", "anywhere": joined, "limit": limit}
    return list(connection.execute(_FTS5, values).scalars())


def _digest(document: Document) -> str:
    return hashlib.sha256(repr(document).encode()).hexdigest()


def _remove(connection: Connection, address: str) -> None:
    ids = list(connection.execute(select(PassageRow.id).where(PassageRow.address == address)).scalars())
    column = "passage_id" if connection.dialect.name == "postgresql" else "rowid"
    for one in ids:
        connection.execute(text(f"DELETE FROM content_words WHERE {column} = :id"), {"id": one})  # noqa: S608 (ours)
    connection.execute(delete(PassageRow).where(PassageRow.address == address))
    connection.execute(delete(IndexedPageRow).where(IndexedPageRow.address == address))


def _add(connection: Connection, document: Document, digest: str) -> None:
    connection.execute(insert(IndexedPageRow).values(address=document.address, digest=digest))
    for section in document.sections:
        row = insert(PassageRow).values(
            address=document.address,
            anchor=section.anchor,
            title=document.title,
            heading=section.heading,
            place=document.place,
            language=document.language,
            text=section.text,
        )
        passage = connection.execute(row.returning(PassageRow.id)).scalar_one()
        words = {
            "id": passage,
            "title": _stemmed(document.title),
            "heading": _stemmed(section.heading),
            "body": _stemmed(section.text),
        }
        connection.execute(_ADD[connection.dialect.name], words)


_ADD = {
    "sqlite": text("INSERT INTO content_words (rowid, title, heading, body) VALUES (:id, :title, :heading, :body)"),
    "postgresql": text(
        """
        INSERT INTO content_words (passage_id, words) VALUES (:id,
            setweight(to_tsvector('simple', :title), 'A') || setweight(to_tsvector('simple', :heading), 'B')
            || setweight(to_tsvector('simple', :body), 'D'))
        """
    ),
}


def _stemmed(words: str) -> str:
    return " ".join(one for one, _, _ in stems(words))


def _hit(row: Row[Any], query: Query) -> Hit:
    address = f"{row.address}#{row.anchor}" if row.anchor else row.address
    return Hit(address, row.title, row.heading, row.place, row.language, tuple(snippet(row.text, query.stems)))


def snippet(words: str, wanted: frozenset[str], length: int = SNIPPET) -> Iterator[Fragment]:
    """Yield the stretch of a text, about ``length`` characters, in which most different wanted stems stand."""
    found = [(one, start, end) for one, start, end in stems(words) if one in wanted]
    start, end = _window(words, found, length)
    if start:
        yield Fragment("… ", found=False)
    at = start
    for _, first, last in found:
        if start <= first and last <= end:
            if at < first:
                yield Fragment(words[at:first], found=False)
            yield Fragment(words[first:last], found=True)
            at = last
    if at < end:
        yield Fragment(words[at:end], found=False)
    if end < len(words):
        yield Fragment(" …", found=False)


def _window(words: str, found: Sequence[tuple[str, int, int]], length: int) -> tuple[int, int]:
    """Return where the best stretch begins and ends, both between words."""
    best, most = 0, 0
    for number, (_, first, _) in enumerate(found):
        inside = {one for one, _, last in found[number : number + 50] if last <= first + length}
        if len(inside) > most:
            best, most = first, len(inside)
    start = max(0, best - length // 4)
    if start:
        start = words.find(" ", start) + 1
    end = min(len(words), start + length)
    return start, end if end == len(words) else max(words.rfind(" ", start, end), start)
