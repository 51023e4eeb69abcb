"""The one Markdown renderer: safe XHTML, heading ids, and a closed set of containers.

Authors may write CommonMark, tables, footnotes, ``:::note TITLE … :::`` for a margin note, and the embeds
``:::quiz ID``, ``:::lab SLUG`` and ``:::measured RUN … :::``, which the page replaces by something one can use. Raw
HTML is text.
A link to a word of ``glossary.md`` is marked as a term, so that the page can tell its definition.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from content import dialect, footnotes

MAXIMUM_BYTES = 500_000
GLOSSARY = "glossary.md"
QUOTE_LENGTH = 120
SVG_NAMESPACE = "http://www.w3.org/2000/svg"

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_MARKABLE = frozenset({"paragraph", "bullet_list", "ordered_list"})


@dataclass(frozen=True)
class Heading:
    """A heading of a page, as the contents list links it."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Embed:
    """A place in a page where another room shows something: a question or a lab, named by its reference."""

    kind: str
    reference: str


@dataclass(frozen=True)
class Mark:
    """The end of a paragraph (or list) that a reader may mark: its anchor, and how its words begin."""

    anchor: str
    quote: str


@dataclass(frozen=True)
class Section:
    """The words between two headings, for search; ``anchor`` and ``heading`` are empty before the first."""

    anchor: str
    heading: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """A page ready to be shown: XHTML pieces with embeds and marks between them, and its headings."""

    parts: tuple[str | Embed | Mark, ...]
    headings: tuple[Heading, ...]

    def find_mark(self, anchor: str) -> Mark | None:
        """Return the mark with that anchor, or None where no paragraph has these words any more."""
        return next((part for part in self.parts if isinstance(part, Mark) and part.anchor == anchor), None)

    @property
    def html(self) -> str:
        """The XHTML pieces alone, for places that show no embeds."""
        return "".join(part for part in self.parts if isinstance(part, str))


def render(text: str, folder: Path | None = None) -> Rendered:
    """Render a Markdown text whose relative pictures lie in ``folder``."""
    return render_tokens(parse(text), folder)


def render_tokens(
    tokens: Sequence[Token],
    folder: Path | None = None,
    *,
    address: Callable[[str], str] | None = None,
    picture: Callable[[str], str] | None = None,
    marks: bool = False,
) -> Rendered:
    """Render the tokens of ``parse``.

    ``address`` tells where the page behind a relative link is shown, ``picture`` where a picture's file is. With
    ``marks``, paragraphs and lists that do not stand inside anything else get an anchor, and a Mark follows each.
    """
    environment = {"folder": folder, "address": address or _page_address, "picture": picture or str}
    parts: list[str | Embed | Mark] = []
    pending: list[Token] = []
    ends = _mark_paragraphs(tokens) if marks else {}
    for index, token in enumerate(tokens):
        if token.type == "embed":
            _flush(pending, environment, parts)
            parts.append(Embed(token.info, token.content))
            continue
        pending.append(token)
        if index in ends:
            _flush(pending, environment, parts)
            parts.append(ends[index])
    _flush(pending, environment, parts)
    return Rendered(tuple(parts), tuple(headings(tokens)))


def sections(tokens: Sequence[Token]) -> Iterator[Section]:
    """Yield the words of a page by its headings, in order."""
    anchor, heading, pending = "", "", list[Token]()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            if pending:
                yield Section(anchor, heading, " ".join(_words(pending)))
            anchor, heading, pending = str(token.attrGet("id")), inline_text(tokens[index + 1]), []
        elif token.type in {"inline", "fence", "code_block"} and tokens[index - 1].type != "heading_open":
            pending.append(token)
    if pending:
        yield Section(anchor, heading, " ".join(_words(pending)))


def render_inline(text: str) -> str:
    """Render one line of Markdown without a paragraph around it: an option, a summary, a table cell."""
    return str(_markdown().renderInline(text))


def parse(text: str) -> list[Token]:
    """Return the block tokens of ``text``, headings already carrying their ids."""
    tokens = _markdown().parse(text)
    used: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", unique_anchor(tokens[index + 1], used))
        elif token.type == "th_open" and not tokens[index + 1].content:
            # The empty corner of a table heads nothing, and a reader should not be told that it does.
            token.type = "td_open"
            token.tag = tokens[index + 2].tag = "td"
    return tokens


def plain_text(text: str) -> str:
    """Return the words of a Markdown text without its marks, for search, descriptions and previews."""
    return " ".join(_words(_markdown().parse(text))).strip()


def slug(text: str) -> str:
    """Turn a heading into an anchor: lower case, words joined by hyphens, letters of any script kept."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\w]+", "-", folded).strip("-_") or "section"


def unique_anchor(inline: Token, used: dict[str, int]) -> str:
    """Return the anchor of a heading's inline token, numbered from the second on if it was ``used``."""
    anchor = slug(inline_text(inline))
    used[anchor] = used.get(anchor, 0) + 1
    return anchor if used[anchor] == 1 else f"{anchor}-{used[anchor]}"


def anchors_of(text: str) -> frozenset[str]:
    """Return the anchors of a Markdown file's headings (its front matter does no harm)."""
    return frozenset(heading.anchor for heading in headings(parse(text)))


def _mark_paragraphs(tokens: Sequence[Token]) -> dict[int, Mark]:
    """Give each outermost paragraph and list an id made of its words; return the marks by where they end."""
    ends: dict[int, Mark] = {}
    used: set[str] = set()
    start = 0
    for index, token in enumerate(tokens):
        if token.level or token.type.removesuffix("_open").removesuffix("_close") not in _MARKABLE:
            continue
        if token.nesting == 1:
            start = index
            continue
        lines = [one for one in tokens[start:index] if one.type == "inline"]
        anchor = "p-" + hashlib.sha256("\n".join(one.content for one in lines).encode()).hexdigest()[:10]
        if lines and anchor not in used:
            used.add(anchor)
            tokens[start].attrSet("id", anchor)
            ends[index] = Mark(anchor, "".join(_words(lines[:1]))[:QUOTE_LENGTH])
    return ends


def _flush(tokens: list[Token], environment: EnvType, parts: list[str | Embed | Mark]) -> None:
    if tokens:
        parts.append(_markdown().renderer.render(tokens, _markdown().options, environment))
        tokens.clear()


def headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Yield the headings among the tokens of ``parse``."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            yield Heading(int(token.tag[1]), str(token.attrGet("id")), inline_text(tokens[index + 1]))


def inline_text(token: Token) -> str:
    """Return the words of an inline token without its marks."""
    return "".join(child.content for child in token.children or () if child.type in {"text", "code_inline"})


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield "".join(_child_text(child) for child in token.children)
        elif token.type in {"fence", "code_block"}:
            yield token.content


def _child_text(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True, "typographer": False})
    markdown.enable(["table", "strikethrough"])
    markdown.block.ruler.before(
        "fence", "container", dialect.container, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    markdown.block.ruler.before("table", "short_paragraph", dialect.short_paragraph)
    markdown.core.ruler.at("inline", dialect.inline)
    footnotes.install(markdown)
    markdown.add_render_rule("container_open", _render_container_open)
    markdown.add_render_rule("container_close", _render_container_close)
    markdown.add_render_rule("image", _render_image)
    markdown.add_render_rule("link_open", _render_link_open)
    markdown.add_render_rule("th_open", _render_header_cell)
    markdown.add_render_rule("table_open", _render_table_open)
    markdown.add_render_rule("table_close", _render_table_close)
    return markdown


def _render_container_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    title = tokens[index].content
    heading = f'<p class="note-title">{render_inline(title)}</p>\n' if title else ""
    return f'<aside class="note">\n{heading}'


def _render_container_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return "</aside>\n"


def _render_image(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    """Put a drawing of ours into the page itself, so that it follows the page's colours; others stay pictures."""
    token = tokens[index]
    source = str(token.attrGet("src"))
    alternative = self.renderInlineAsText(token.children or [], options, environment)
    folder = environment.get("folder")
    if folder is not None and source.endswith(".svg") and not SCHEME.match(source):
        return _inline_drawing(Path(folder) / source, alternative)
    token.attrSet("alt", alternative)
    if not SCHEME.match(source) and not source.startswith("/"):
        token.attrSet("src", environment.get("picture", str)(source))
    return self.renderToken(tokens, index, options, environment)


def read_drawing(path: Path) -> etree._Element:
    """Parse an SVG file; raise etree.XMLSyntaxError where it is not well-formed."""
    return etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))


def _inline_drawing(path: Path, alternative: str) -> str:
    try:
        root = read_drawing(path)
    except (OSError, etree.XMLSyntaxError):
        # The check names the drawing's fault; the reader gets what it would have shown, in words.
        return f'<em class="drawing-missing">{html.escape(alternative)}</em>'
    root.set("role", "img")
    root.set("aria-label", alternative)
    for fixed in {"width", "height"} & set(root.attrib):
        del root.attrib[fixed]
    return f'<span class="drawing" tabindex="0">{etree.tostring(root, encoding="unicode").strip()}</span>'


def _render_link_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    token = tokens[index]
    target = str(token.attrGet("href"))
    if not SCHEME.match(target) and not target.startswith(("#", "/")):
        token.attrSet("href", environment.get("address", _page_address)(target))
        if target.partition("#")[0].rpartition("/")[2] == GLOSSARY and "#" in target:
            token.attrSet("class", "term")
    return self.renderToken(tokens, index, options, environment)


def _page_address(target: str) -> str:
    """Turn a link between files, as a forge follows it, into one between pages: no ordinal, no ``.md``."""
    path, hash_sign, anchor = target.partition("#")
    steps = [re.sub(r"^\d{1,2}-", "", step) for step in path.removesuffix(".md").split("/")]
    return "/".join(steps).removesuffix("overview") + hash_sign + anchor


def _render_header_cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    tokens[index].attrSet("scope", "col")
    _use_alignment_class(tokens[index])
    return self.renderToken(tokens, index, options, environment)


def _use_alignment_class(token: Token) -> None:
    style = token.attrs.pop("style", None)
    if style:
        token.attrSet("class", str(style).replace("text-align:", "align-"))


def _render_table_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    for token in tokens[index:]:
        if token.type == "td_open":
            _use_alignment_class(token)
        if token.type == "table_close":
            break
    return '<div class="table" role="group" tabindex="0" aria-label="Table">\n<table>\n'


def _render_table_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return "</table>\n</div>\n"
