"""The documents of an issue in XHTML: its letter, articles, talks, startups, news, labs, corrections, quiz and answers.

Keys and rationales stand in the answers chapter alone; the quiz and the answers link to each other.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2

from content import render
from content.library import Note, Schedule
from content.pages import PICTURE_TYPES, Page, picture_path
from content.render import Embed, Rendered
from content.timetable import Talk
from publisher import links, verdicts
from publisher.issue import Issue, IssueError, day_name, month_name
from publisher.lint import LONGEST_ALTERNATIVE
from publisher.package import NCX, XHTML, Resource
from publisher.progress import Report, Stage, to_nobody
from quizzes.questions import Item

STYLE = Path(__file__).with_name("book.css")
APPENDIX, APPENDIX_ANSWERS = "Your own questions", "Answers to your own questions"
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_PARAGRAPH = re.compile(r' id="p-[0-9a-f]{10}"')
_NOTE_ROLE = re.compile(r'role="doc-(noteref|footnote)"')
_PICTURE = re.compile(r'<img src="([^"]*)" alt="([^"]*)"')


@dataclass(frozen=True)
class Entry:
    """A place in the contents list: at most two levels, as many readers show no more."""

    title: str
    name: str
    language: str = "en"
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Day:
    """A day's talks."""

    name: str
    talks: tuple[Talk, ...]


@dataclass(frozen=True)
class PrintedOption:
    """An option of the quiz with what the answers chapter says of it."""

    letter: str
    html: str
    correct: bool
    rationale: str


@dataclass(frozen=True)
class PrintedItem:
    """An item of the quiz; the quiz chapter uses nothing of its key."""

    number: int
    stem: str
    options: tuple[PrintedOption, ...]
    answer: str
    today: str


@dataclass(frozen=True)
class PrintedChange:
    """A key of the site that was corrected: the question, sentences on what is right now, and why in paragraphs."""

    place: str
    stem: str
    sentences: tuple[str, ...]
    reason: tuple[str, ...]


@dataclass(frozen=True)
class PrintedCorrection:
    """What was wrong in an earlier quiz: its place, the question, the options whose judgement changed, and why."""

    place: str
    stem: str
    changed: tuple[tuple[str, bool], ...]
    reasons: tuple[str, ...]


def resources(issue: Issue, identifier: str, report: Report = to_nobody) -> tuple[Resource, ...]:
    """Return every file of the book but its cover, documents in reading order; ``report`` is told of each document."""
    contents = tuple(_contents(issue))
    documents = [title_page(issue), _document("nav.xhtml", issue=issue, contents=contents, first=contents[0].name)]
    total = len(documents) + len({one.name for entry in contents for one in (entry, *entry.entries)})
    for document in _parts(issue):
        report(Stage("documents", len(documents), total))
        documents.append(document)
    ncx = _environment().get_template("toc.ncx").render(issue=issue, contents=contents, identifier=identifier)
    pictures = [picture for note in issue.articles for picture in _pictures(note)]
    return (
        *documents,
        Resource("toc.ncx", NCX, ncx.encode()),
        Resource("book.css", "text/css", STYLE.read_bytes()),
        *pictures,
    )


def title_page(issue: Issue, *, kindle: bool = False) -> Resource:
    """Return the book's first page. Kindle shows the cover by itself and wants it nowhere in the text."""
    return _document("title.xhtml", issue=issue, sizes=_sizes(issue), kindle=kindle)


def has_drawings(documents: Sequence[Resource]) -> bool:
    """Return whether there is anything to look at beside the text and the cover."""
    return any(one.media_type.startswith("image/") or b"<svg" in one.data for one in documents)


def _parts(issue: Issue) -> Iterator[Resource]:
    if issue.letter:
        yield _document("letter.xhtml", html=_text(issue, issue.letter, None))
    for section in issue.sections:
        for note in section.notes:
            yield _article(issue, section.title, note)
    if issue.schedule:
        yield _talks(issue, issue.schedule)
    if issue.startups:
        page = issue.startups.page
        text = _page(issue, page)
        elsewhere = month_name(issue.startups.month) if issue.startups.month != issue.month else ""
        yield _document("startups.xhtml", page.language, page=page, html=text, elsewhere=elsewhere)
    if issue.news:
        yield _document("news.xhtml", news=issue.news)
    if issue.labs:
        yield _document("labs.xhtml", labs=issue.labs)
    if _has_corrections(issue):
        remarks = [_text(issue, remark, None) for remark in issue.remarks]
        corrected, changed = tuple(_corrected(issue)), tuple(_changed(issue))
        yield _document("corrections.xhtml", remarks=remarks, corrections=corrected, changes=changed)
    if issue.quiz:
        yield from _quiz(tuple(_printed(issue.quiz, lambda text: _text(issue, text, None))), ("Quiz", "Answers"))


def _contents(issue: Issue) -> Iterator[Entry]:
    if issue.letter:
        yield Entry("To the reader", "letter.xhtml")
    for section in issue.sections:
        entries = tuple(Entry(note.page.title, article_name(note), note.page.language) for note in section.notes)
        yield Entry(section.title, entries[0].name, "en", entries)
    for page, name in (
        (issue.schedule and issue.schedule.page, "talks.xhtml"),
        (issue.startups and issue.startups.page, "startups.xhtml"),
    ):
        if page:
            yield Entry(page.title, name, page.language)
    if issue.news:
        yield Entry("New on the site", "news.xhtml")
    if issue.labs:
        yield Entry("From the labs", "labs.xhtml")
    if _has_corrections(issue):
        yield Entry("Corrections", "corrections.xhtml")
    if issue.quiz:
        yield Entry("Quiz", "quiz.xhtml")
        yield Entry("Answers", "answers.xhtml")


def _has_corrections(issue: Issue) -> bool:
    return bool(issue.corrections or issue.key_changes or issue.remarks)


def article_name(note: Note) -> str:
    """Return the file name of an article in the book."""
    return f"article-{note.slug}.xhtml"


def _article(issue: Issue, section: str, note: Note) -> Resource:
    page = note.page
    text = _page(issue, page)
    for picture in _sources(note):
        text = text.replace(f'src="{html.escape(picture)}"', f'src="{_picture_name(note, picture)}"')
    return _document("article.xhtml", page.language, name=article_name(note), section=section, page=page, html=text)


def _talks(issue: Issue, schedule: Schedule) -> Resource:
    introduction = schedule.page.body.partition("\n## ")[0]
    days: dict[date, list[Talk]] = {}
    for talk in schedule.talks:
        days.setdefault(talk.start.date(), []).append(talk)
    return _document(
        "talks.xhtml",
        schedule.page.language,
        page=schedule.page,
        html=_text(issue, "" if introduction.startswith("## ") else introduction, schedule.page.folder),
        zone=_zone(schedule),
        days=[Day(day_name(day), tuple(talks)) for day, talks in days.items()],
    )


def _zone(schedule: Schedule) -> str:
    """Say the zone so that nobody has to look it up: its name, its short name and its distance from UTC."""
    start = schedule.talks[0].start
    offset = start.strftime("%z")
    return f"{schedule.zone} ({start.tzname()}, UTC{offset[:3].replace('-', '−')}:{offset[3:]})"


def appendix(items: Sequence[Item]) -> tuple[Resource, Resource]:
    """Return the two chapters of a reader's own appendix: its questions, and their answers."""
    printed = tuple(_printed(items, lambda text: links.rewrite(render.render(text).html, lambda _target: None)))
    questions, answers = _quiz(printed, (APPENDIX, APPENDIX_ANSWERS), "appendix-")
    return questions, answers


def _quiz(items: Sequence[PrintedItem], titles: tuple[str, str], prefix: str = "") -> Iterator[Resource]:
    questions, answers = f"{prefix}quiz.xhtml", f"{prefix}answers.xhtml"
    yield _document("quiz.xhtml", name=questions, items=items, title=titles[0], answers=answers)
    yield _document("answers.xhtml", name=answers, items=items, title=titles[1], questions=questions)


def _printed(items: Iterable[Item], text: Callable[[str], str]) -> Iterator[PrintedItem]:
    for number, item in enumerate(items, 1):
        options = tuple(
            PrintedOption(
                option.letter.upper(),
                render.render_inline(option.text),
                option.letter in item.key.correct,
                render.render_inline(item.key.rationale(option.letter)),
            )
            for option in item.question.options
        )
        answer = " and ".join(option.letter for option in options if option.correct)
        stimulus = text(item.question.stimulus) if item.question.stimulus else ""
        yield PrintedItem(
            number, stimulus + text(item.question.stem), options, answer, render.render_inline(item.key.today)
        )


def _corrected(issue: Issue) -> Iterator[PrintedCorrection]:
    for one in issue.corrections:
        options = {option.text: option for option in one.item.question.options}
        changed = [*((text, True) for text in one.now_right), *((text, False) for text in one.now_wrong)]
        reasons = (render.render_inline(one.item.key.rationale(options[text].letter)) for text, _ in changed)
        yield PrintedCorrection(
            f"Question {one.number} of {month_name(one.month)}",
            _text(issue, one.item.question.stem, None),
            tuple((render.render_inline(text), right) for text, right in changed),
            tuple(reasons),
        )


def _changed(issue: Issue) -> Iterator[PrintedChange]:
    for one in issue.key_changes:
        question = one.item.question
        stem = _text(issue, question.stimulus, None) if question.stimulus else ""
        yield PrintedChange(
            f"A question of the site, task {question.task}" if question.task else "A question of the site",
            stem + _text(issue, question.stem, None),
            tuple(verdicts.sentences(one)),
            tuple(part.strip() for part in re.split(r"\n\s*\n", one.reason.replace("\r\n", "\n")) if part.strip()),
        )


def _text(issue: Issue, markdown: str, folder: Path | None) -> str:
    """Render a text for the book."""
    return verdicts.without_pictures(_for_book(issue, render.render(markdown, folder)))


def _page(issue: Issue, page: Page) -> str:
    """Return a page of the library, which is rendered already, for the book: without the anchors of paragraphs."""
    return _PARAGRAPH.sub("", _for_book(issue, page.rendered))


def _for_book(issue: Issue, rendered: Rendered) -> str:
    """Let links to articles of this issue lead there; links to the library's other pages leave only their words."""
    names = {note.slug: article_name(note) for note in issue.articles}
    labs = {lab.slug: lab.title for lab in issue.labs}

    def address(target: str) -> str | None:
        note = links.note_of(target)
        return names[note[1]] + note[2] if note and note[0] == issue.month and note[1] in names else None

    parts = (_embed(part, labs) if isinstance(part, Embed) else part for part in rendered.parts)
    return _NOTE_ROLE.sub(
        r'epub:type="\1" role="doc-\1"',
        links.rewrite("".join(part for part in parts if isinstance(part, str)), address),
    )


def _embed(embed: Embed, labs: dict[str, str]) -> str:
    """Name a lab where a page would show it; the book's own quiz stands for questions."""
    if embed.kind != "lab" or embed.reference not in labs:
        return ""
    return f'<p class="lab">You can run this: {html.escape(labs[embed.reference])}, at /labs/{embed.reference}.</p>\n'


def _sources(note: Note) -> list[str]:
    """Return the addresses of an article's pictures that are files of their own; drawings stand in the text."""
    found = [(html.unescape(m[1]), html.unescape(m[2])) for m in _PICTURE.finditer(note.page.rendered.html)]
    for source, alternative in found:
        name = _file_name(source)
        if picture_path(note.page.root, source) is None:
            raise IssueError(f"{note.page.path}: “{name}” is neither JPEG nor PNG nor a drawing in SVG.")
        if len(alternative) > LONGEST_ALTERNATIVE:
            raise IssueError(
                f"{note.page.path}: the text alternative of “{name}” has {len(alternative)} characters; "
                f"{LONGEST_ALTERNATIVE} is the most that every reader speaks."
            )
    return list(dict.fromkeys(source for source, _ in found))


def _pictures(note: Note) -> Iterator[Resource]:
    for source in _sources(note):
        path = picture_path(note.page.root, source)
        if path is None or not path.is_file():
            raise IssueError(f"{note.page.path}: there is no picture “{_file_name(source)}” beside it.")
        yield Resource(_picture_name(note, source), PICTURE_TYPES[path.suffix], path)


def _picture_name(note: Note, source: str) -> str:
    safe = re.sub(r"[^a-z0-9.]+", "-", _file_name(source).lower())
    return f"images/{note.slug}-{safe}"


def _file_name(source: str) -> str:
    return unquote(source).rpartition("/")[2]


def _sizes(issue: Issue) -> list[str]:
    """Say what an issue holds, for its title page and its description."""
    counted = (
        (len(issue.articles), "article", "articles"),
        (len(issue.schedule.talks) if issue.schedule else 0, "talk", "talks"),
        (len(issue.startups.startups) if issue.startups else 0, "startup", "startups"),
        (len(issue.labs), "lab to run", "labs to run"),
        (len(issue.quiz), "question with its answer", "questions with their answers"),
    )
    return [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]


def description(issue: Issue) -> str:
    """Return one sentence on what the issue holds."""
    return f"{issue.title}: {', '.join(_sizes(issue))}."


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates" / "publisher" / "book")
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _document(template: str, language: str = "en", *, name: str = "", **values: Any) -> Resource:
    direction = "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
    text = _environment().get_template(template).render(language=language, direction=direction, **values)
    return Resource(name or template, XHTML, text.encode("utf-8"), linear=True)
