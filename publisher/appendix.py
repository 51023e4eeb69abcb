"""A reader's own appendix: which questions it holds, and a copy of an issue that has it at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from itertools import chain, zip_longest

from lxml import etree

from publisher import package, pages
from publisher.package import Resource
from quizzes.exchange import pictures
from quizzes.practice import Result
from quizzes.questions import Item

ITEMS, TASKS = 10, 3
"""How many questions an appendix has, out of how many tasks."""
LEAST = 3
"""How many of a task's questions must have been answered before it can be called weak."""

Task = tuple[str, str]
"""A course and a task of it."""

_OPF = "{http://www.idpf.org/2007/opf}"
_HTML = "{http://www.w3.org/1999/xhtml}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_FOLDER = "EPUB/"


def choose(
    items: Iterable[Item],
    last: Mapping[str, Result],
    weights: Mapping[tuple[str, int], int],
    month: str,
    withheld: Collection[str] = (),
) -> tuple[Item, ...]:
    """Return the questions of the weakest tasks, the same each time for one history and month; none if none is weak.

    ``last`` holds the last result of each question, ``weights`` the percent of each (course, domain) in its exam,
    ``withheld`` the ids of questions in running exams. The tasks take turns; in each, what was not answered right
    comes first.
    """
    by_task: dict[Task, list[Item]] = {}
    for item in items:
        by_task.setdefault(_task(item), []).append(item)
    weak = weakest(by_task, last, weights)[:TASKS]
    ranked = [sorted(_printable(by_task[task], withheld), key=lambda item: _rank(item, last, month)) for task in weak]
    turns = chain.from_iterable(zip_longest(*ranked))
    return tuple([item for item in turns if item is not None][:ITEMS])


def weakest(
    by_task: Mapping[Task, Collection[Item]], last: Mapping[str, Result], weights: Mapping[tuple[str, int], int]
) -> list[Task]:
    """Return the tasks in which something was last answered wrong, the least share of right answers first.

    Of equals, what weighs more in the exam comes first. A task with fewer than LEAST answers is left out.
    """
    ranks = {}
    for task, items in by_task.items():
        answers = [last[item.question.id].correct for item in items if item.question.id in last]
        if len(answers) >= LEAST and not all(answers):
            weight = weights.get((task[0], next(iter(items)).question.domain), 0)
            ranks[task] = (Fraction(sum(answers), len(answers)), -weight, task)
    return sorted(ranks, key=ranks.__getitem__)


def personalise(book: bytes, items: tuple[Item, ...]) -> bytes:
    """Return a copy of an issue's EPUB with the appendix at its end; nothing else of the book is made anew.

    The same book and items give the same bytes; a book without items stays as it is.
    """
    if not items:
        return book
    chapters = pages.appendix(items)
    titles = (pages.APPENDIX, pages.APPENDIX_ANSWERS)
    added = {f"{_FOLDER}{one.name}": one.data for one in chapters}
    for name, change in (("content.opf", _list), ("nav.xhtml", _show), ("toc.ncx", _show_in_ncx)):
        root = package.parse(Resource(name, "application/xml", package.entry(book, f"{_FOLDER}{name}")))
        for title, chapter in zip(titles, chapters, strict=True):
            change(root, title, chapter)
        added[f"{_FOLDER}{name}"] = etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=True)
    return package.replaced(book, added)


def _list(root: etree._Element, _title: str, chapter: Resource) -> None:
    """Name a chapter in the manifest and at the end of the spine."""
    identifier = f"f-{chapter.name.replace('.', '-')}"
    values = {"href": chapter.name, "id": identifier, "media-type": chapter.media_type}
    etree.SubElement(_only(root, f"{_OPF}manifest"), f"{_OPF}item", values)
    etree.SubElement(_only(root, f"{_OPF}spine"), f"{_OPF}itemref", {"idref": identifier})


def _show(root: etree._Element, title: str, chapter: Resource) -> None:
    """Name a chapter at the end of the contents list, the first of the document's lists."""
    line = etree.SubElement(_only(root, f"{_HTML}ol"), f"{_HTML}li")
    etree.SubElement(line, f"{_HTML}a", {"href": chapter.name}).text = title


def _show_in_ncx(root: etree._Element, title: str, chapter: Resource) -> None:
    points = _only(root, f"{_NCX}navMap")
    point = etree.SubElement(points, f"{_NCX}navPoint", {"id": f"n{len(points) + 1}"})
    etree.SubElement(etree.SubElement(point, f"{_NCX}navLabel"), f"{_NCX}text").text = title
    etree.SubElement(point, f"{_NCX}content", {"src": chapter.name})


def _only(root: etree._Element, tag: str) -> etree._Element:
    """Return the first element of this name, which every book of ours has."""
    return next(root.iter(tag))


def _task(item: Item) -> Task:
    return item.question.course, item.question.task


def _printable(items: Iterable[Item], withheld: Collection[str]) -> list[Item]:
    return [
        item
        for item in items
        if item.question.kind == "choice" and item.question.id not in withheld and not pictures.shows_any(item)
    ]


def _rank(item: Item, last: Mapping[str, Result], month: str) -> tuple[int, bytes]:
    """Rank wrong before never answered before right; a hash of month and id mixes equals."""
    result = last.get(item.question.id)
    order = 1 if result is None else 2 * result.correct
    return order, hashlib.sha256(f"{month} {item.question.id}".encode()).digest()
