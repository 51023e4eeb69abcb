"""What is wrong in a page's Markdown: containers, headings, pictures, links and HTML, each with line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from lxml import etree
from markdown_it.token import Token

from content import dialect, footnotes, render
from content.errors import Fault

SAFE_SCHEMES = frozenset({"http", "https", "mailto"})
_EXAM = re.compile(r"\b(exams?|examination|certification|[A-Z]{3}-C0\d|изпит\w*)\b", re.IGNORECASE)
_ABOUT_EXAMS = re.compile(r"exam|certif", re.IGNORECASE)
_EXAM_WORDS = ("exam", "certification", "-c0", "изпит")
_SUSPECT = re.compile(r"[<\]]")
_EXAM_CODE = re.compile(r"\b[A-Z]{3}-C0\d\b")


def find(text: str, folder: Path, first_line: int, tokens: Sequence[Token]) -> Iterator[Fault]:
    """Yield what is wrong in a body of Markdown with its ``tokens``; ``first_line`` is where it begins in its file."""
    lines = text.split("\n")
    found = (
        *_container_faults(lines, tokens),
        *_heading_faults(tokens),
        *_fence_faults(lines, tokens),
        *_table_faults(lines, tokens),
        *_footnote_faults(lines, tokens),
        *_inline_faults(lines, tokens, folder),
    )
    for fault in found:
        yield replace(fault, line=fault.line + first_line - 1)


def unsourced_claims(text: str, tokens: Sequence[Token], sources: Iterable[str], first_line: int) -> Iterator[Fault]:
    """Yield the paragraphs that give a figure about an exam, where no source of the page is about exams."""
    # Nearly every page says “example”, and none for that may cost what the expression does.
    folded = text.casefold().replace("exampl", "")
    if not any(word in folded for word in _EXAM_WORDS) or any(_ABOUT_EXAMS.search(source) for source in sources):
        return
    lines = text.split("\n")
    for token in tokens:
        if token.type == "inline" and token.map is not None:
            words = render.inline_text(token)
            exam = _EXAM.search(words)
            if exam and re.search(r"\d", _EXAM_CODE.sub("", words)):
                sentence = "A figure about an exam needs a source about it; add its address to “sources”."
                fault = _at(lines, token, exam[0], sentence)
                yield replace(fault, line=fault.line + first_line - 1)


def _container_faults(lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[Fault]:
    fenced = _code_lines(tokens)
    open_line: int | None = None
    open_name = "note"
    for index, line in enumerate(lines):
        match = dialect.OPENING.match(line.lstrip()) if ":::" in line and index not in fenced else None
        if match is None:
            continue
        column = line.index(":::") + 1
        name, argument = match[1], match[2]
        if not name and not argument:
            if open_line is None:
                yield Fault(index + 1, column, "This ::: closes nothing; remove it, or open a :::note before it.")
            open_line = None
        elif name not in dialect.CONTAINERS:
            known = ", ".join(f":::{known}" for known in sorted(dialect.CONTAINERS))
            yield Fault(index + 1, column, f"There is no container “:::{name or argument}”; use one of {known}.")
            # Its closing colons, if there are any, are no second fault.
            open_line = None if ":::" not in lines[index + 1 :] else index
        elif name in dialect.EMBEDS and not argument:
            yield Fault(index + 1, column, f":::{name} must name what it shows, as in “:::{name} its-id”.")
            open_line, open_name = (index, name) if name in dialect.BLOCKS else (open_line, open_name)
        elif name in dialect.BLOCKS:
            if open_line is not None:
                sentence = f"The :::{open_name} of line {open_line + 1} is not closed before this one."
                yield Fault(index + 1, column, sentence)
            open_line, open_name = index, name
    if open_line is not None:
        yield Fault(open_line + 1, 1, f"This :::{open_name} is never closed; end it with a line of three colons.")


def _code_lines(tokens: Sequence[Token]) -> set[int]:
    return {
        line for token in tokens if token.type in {"fence", "code_block"} and token.map for line in range(*token.map)
    }


def _footnote_faults(lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[Fault]:
    starts = [(index, match) for index, line in enumerate(lines) if (match := footnotes.DEFINITION.match(line))]
    if not starts:
        return
    used, code, seen = footnotes.labels(tokens), _code_lines(tokens), set[str]()
    for index, match in starts:
        if index in code:
            continue
        label, column = match[1], match.start(1) - 1
        if label in seen:
            yield Fault(index + 1, column, f"The footnote “{label}” is defined twice; give the second another name.")
        elif label not in used:
            yield Fault(index + 1, column, f"Nothing refers to this footnote; write [^{label}] where it belongs.")
        seen.add(label)


def _heading_faults(tokens: Sequence[Token]) -> Iterator[Fault]:
    level, seen = 1, set[str]()
    for index, token in enumerate(tokens):
        if token.type != "heading_open" or token.map is None:
            continue
        line, new, anchor = token.map[0] + 1, int(token.tag[1]), render.slug(render.inline_text(tokens[index + 1]))
        if new == 1:
            yield Fault(line, 1, "A page has one first-level heading, its title; start sections with ##.")
        elif new > level + 1:
            yield Fault(line, 1, f"This heading jumps from level {level} to {new}; use {'#' * (level + 1)}.")
        if anchor in seen:
            yield Fault(line, 1, f"Two headings share the anchor “{anchor}”; change the words of one.")
        seen.add(anchor)
        level = max(new, 1)


def _fence_faults(lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[Fault]:
    for token in tokens:
        if token.type == "fence" and token.map is not None:
            first, end = token.map
            last = lines[end - 1].strip()
            if end - 1 == first or set(last) != set(token.markup) or len(last) < len(token.markup):
                yield Fault(first + 1, 1, f"This block of code is never closed; end it with {token.markup}.")


def _table_faults(lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[Fault]:
    for token in tokens:
        if token.type != "table_open" or token.map is None:
            continue
        first, end = token.map
        width = _cells(lines[first])
        for number in range(first + 2, end):
            if _cells(lines[number]) != width:
                yield Fault(number + 1, 1, f"This row has {_cells(lines[number])} cells; the table's head has {width}.")


def _cells(row: str) -> int:
    return len(re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|")))


def _inline_faults(lines: Sequence[str], tokens: Sequence[Token], folder: Path) -> Iterator[Fault]:
    anchors = {heading.anchor for heading in render.headings(tokens)}
    for token in tokens:
        if token.type != "inline" or token.map is None:
            continue
        children = token.children or []
        if len(children) == 1 and children[0].type == "text":
            if _SUSPECT.search(token.content):
                yield from _text_faults(lines, token, token.content)
            continue
        for child, following in zip(children, [*children[1:], None], strict=False):
            if child.type == "image":
                yield from _picture_faults(lines, token, child, folder)
            elif child.type == "link_open":
                target = str(child.attrGet("href"))
                if following is not None and following.type == "link_close":
                    yield _at(lines, token, "[](", "This link has no words; say between [ and ] where it leads.")
                yield from _link_faults(lines, token, target, folder, anchors)
            elif child.type == "text" and _SUSPECT.search(child.content):
                yield from _text_faults(lines, token, child.content)


def _text_faults(lines: Sequence[str], inline: Token, text: str) -> Iterator[Fault]:
    """Yield what was meant as markup and is read as text."""
    if tag := re.search(r"</?[a-z][a-z0-9]*(\s[^<>]*)?/?>", text, re.IGNORECASE):
        yield _at(lines, inline, tag[0], f"HTML such as {tag[0]} is not rendered; write Markdown instead.")
    if note := footnotes.REFERENCE.search(text):
        sentence = f"There is no footnote “{note[1]}”; say in a line of its own, as [^{note[1]}]: words, what it says."
        yield _at(lines, inline, note[0], sentence)
    if bare := re.search(r"\]\((?:javascript|data|vbscript):", text, re.IGNORECASE):
        yield _at(lines, inline, bare[0], "This link's address is not a web address; use https://.")
    elif broken := re.search(r"\]\(|\]\[", text):
        yield _at(lines, inline, broken[0], "This is not read as a link; write it as [words](address), without spaces.")


def _picture_faults(lines: Sequence[str], inline: Token, picture: Token, folder: Path) -> Iterator[Fault]:
    source = str(picture.attrGet("src"))
    if not picture.content.strip():
        yield _at(lines, inline, "![", "This picture has no text alternative; say between [ and ] what it shows.")
    if render.SCHEME.match(source) or source.startswith("//"):
        yield _at(
            lines, inline, source, "Pictures are kept beside the page, never fetched from elsewhere; save it here."
        )
    else:
        yield from _local_picture_faults(lines, inline, source, folder)


def _local_picture_faults(lines: Sequence[str], inline: Token, source: str, folder: Path) -> Iterator[Fault]:
    path = folder / unquote(source)
    if not path.is_file():
        yield _at(lines, inline, source, f"There is no picture “{source}” beside this page.")
    elif path.suffix == ".svg":
        try:
            root = render.read_drawing(path)
        except etree.XMLSyntaxError as error:
            yield _at(lines, inline, source, f"The drawing “{source}” is not well-formed: {error.msg}.")
            return
        for element in root.iter():
            if isinstance(element.tag, str) and _is_active(element):
                yield _at(lines, inline, source, f"The drawing “{source}” holds script or outside content; remove it.")
                return


def _is_active(element: etree._Element) -> bool:
    name = etree.QName(element).localname.lower()
    attributes = {str(key).rsplit("}", 1)[-1].lower(): str(value) for key, value in element.attrib.items()}
    outside = not attributes.get("href", "#").startswith("#")
    handler = any(key.startswith("on") or key == "style" for key in attributes)
    return name in {"script", "foreignobject", "style", "a", "image"} or outside or handler


def _link_faults(lines: Sequence[str], inline: Token, target: str, folder: Path, anchors: set[str]) -> Iterator[Fault]:
    scheme = render.SCHEME.match(target)
    if scheme:
        if scheme[1].lower() not in SAFE_SCHEMES:
            yield _at(lines, inline, scheme[0], f"Links may not use {scheme[0]}; use https://.")
    elif target.startswith("#"):
        if target[1:] not in anchors:
            yield _at(lines, inline, target, f"No heading of this page has the anchor “{target[1:]}”.")
    elif not target.startswith("/"):
        yield from _file_link_faults(lines, inline, target, folder)


def _file_link_faults(lines: Sequence[str], inline: Token, target: str, folder: Path) -> Iterator[Fault]:
    name, _, anchor = target.partition("#")
    path = folder / name
    if not path.is_file():
        yield _at(lines, inline, target, f"This link leads nowhere: there is no file “{name}” from here.")
    elif anchor and path.suffix == ".md" and anchor not in anchors_in(path):
        yield _at(lines, inline, target, f"“{name}” has no heading with the anchor “{anchor}”.")


def anchors_in(path: Path) -> frozenset[str]:
    """Return the anchors of a Markdown file's headings, read again only when the file has changed."""
    return _anchors(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _anchors(path: Path, _changed: int) -> frozenset[str]:
    return render.anchors_of(path.read_text("utf-8", "replace").split("\n---\n", 1)[-1])


def _at(lines: Sequence[str], token: Token, snippet: str, sentence: str) -> Fault:
    first, last = token.map or (0, 1)
    for index in range(first, min(last, len(lines))):
        column = lines[index].find(snippet)
        if column >= 0:
            return Fault(index + 1, column + 1, sentence)
    return Fault(first + 1, 1, sentence)
