"""HTML of strangers as our Markdown: what it has no form for is left out and named, never half kept.

The tree is walked once, and deeper than ``MAXIMUM_DEPTH`` elements are taken for their words alone, so time grows
with the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from quizzes.formats import html_inline
from quizzes.formats.html_inline import BREAK, PRIVATE
from quizzes.formats.xml_tree import Element, words

MAXIMUM_DEPTH = 40

_BLOCKS = words(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer h1 h2 "
    "h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table ul"
)
_PLAIN = words(
    "a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark nobr q s samp small span "
    "strike strong sub sup time tt u var wbr tbody td tfoot th thead tr colgroup col rp rt ruby"
)
_DROPPED = words(
    "applet audio base button canvas embed form frame frameset head iframe input link map math meta noembed noframes "
    "noscript object script select style svg template textarea title video"
)
"""Elements that go with all that is in them."""
_SILENT = words("base head link meta title")
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "cite": "*", "dfn": "*", "var": "*"}
_MARKS |= {"del": "~~", "s": "~~", "strike": "~~"}
_SHOWN = {"u": "underlining", "ins": "underlining", "mark": "highlighting"}
_COLOUR = re.compile(r"\bcolor\s*:\s*(?!black|inherit|initial|#0{3,6}\b|rgb\(0, ?0, ?0\)|;|$)", re.IGNORECASE)
_CODE = frozenset({"code", "kbd", "samp", "tt"})
_SCHEMES = frozenset({"http", "https", "mailto"})
_PICTURE = re.compile(r"[\w][\w.\- ]{0,99}\.(?:png|jpe?g|gif)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")

PictureName = Callable[[str], str | None]
"""Turns the address of a picture into the name of a file that comes along, or None where none does."""


@dataclass(frozen=True)
class Converted:
    """Markdown, what of the source is not in it (as nouns, each once), and the pictures that it shows by name."""

    text: str
    losses: tuple[str, ...]
    pictures: tuple[str, ...] = ()


def picture_name(address: str) -> str | None:
    """Return the last part of a relative address as a file's name, or None where it names no picture of the file."""
    name = unquote(address.partition("?")[0]).rpartition("/")[2]
    return None if _scheme(address) or address.startswith("//") or not _PICTURE.fullmatch(name) else name


def to_markdown(html: str, *, one_line: bool = False, picture: PictureName = picture_name) -> Converted:
    """Return HTML as Markdown; with ``one_line``, as an option or a rationale needs it, without blocks."""
    if "<" not in html and "&" not in html and not PRIVATE.search(html):
        return from_elements([html], one_line=one_line, picture=picture)
    return from_elements(_parse(html).children, one_line=one_line, picture=picture)


def from_elements(
    nodes: Iterable[Element | str], *, one_line: bool = False, picture: PictureName = picture_name
) -> Converted:
    """Return a tree of HTML as Markdown, as ``to_markdown`` does."""
    converter = _Converter(picture)
    blocks = list(converter.blocks(nodes, 0, one_line=one_line))
    text = " ".join(" ".join(blocks).split()) if one_line else "\n\n".join(blocks)
    return Converted(text, tuple(dict.fromkeys(converter.losses)), tuple(dict.fromkeys(converter.pictures)))


class _Tree:
    """Makes elements of what lxml's parser of HTML tells; too deep ones become part of what they stand in."""

    def __init__(self) -> None:
        self.root = Element("body", {})
        self.open = [self.root]
        self.deeper = 0
        self.pending: list[str] = []

    def start(self, tag: Any, attributes: Any) -> None:
        self._flush()
        if len(self.open) > MAXIMUM_DEPTH:
            self.deeper += 1
            return
        element = Element(str(tag).rpartition(":")[2].lower(), dict(attributes))
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, _tag: Any) -> None:
        self._flush()
        if self.deeper:
            self.deeper -= 1
        elif len(self.open) > 1:
            self.open.pop()

    def data(self, text: str) -> None:
        self.pending.append(text)

    def _flush(self) -> None:
        if self.pending:
            self.open[-1].children.append("".join(self.pending))
            self.pending.clear()

    def comment(self, _text: str) -> None:
        """Leave comments out: nobody saw them."""

    def pi(self, _target: str, _data: str | None = None) -> None:
        """Leave processing instructions out, for the same reason."""

    def close(self) -> Element:
        self._flush()
        return self.root


def _parse(html: str) -> Element:
    tree: Any = _Tree()
    parser: Any = etree.HTMLParser(target=tree, no_network=True, huge_tree=True)
    try:
        # A paragraph at the start keeps words before the first element from being put elsewhere.
        parser.feed("<body>" + _CONTROL.sub("", html))
        root: Element = parser.close()
    except etree.XMLSyntaxError:
        return Element("body", {}, children=[html])
    return root


@dataclass
class _Converter:
    """Walks a tree and keeps what is lost."""

    picture: PictureName
    losses: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    def blocks(self, nodes: Iterable[Element | str], depth: int, *, one_line: bool = False) -> Iterator[str]:
        """Yield the paragraphs, lists, tables and listings of some nodes."""
        words = ""
        for node in nodes:
            if isinstance(node, str) or not _holds_block(node, depth):
                words += self.inline(node, depth, one_line=one_line)
                continue
            yield from self._paragraph(words)
            words = ""
            yield from self._block(node, depth + 1, one_line=one_line)
        yield from self._paragraph(words)

    def _paragraph(self, words: str) -> Iterator[str]:
        text, unheld = html_inline.finish(words)
        if unheld:
            self.losses.append("emphasis within a word")
        if text:
            yield text

    def _block(self, node: Element, depth: int, *, one_line: bool) -> Iterator[str]:
        name = node.name
        if name == "pre":
            yield from self._listing(node, one_line=one_line)
        elif one_line or depth > MAXIMUM_DEPTH:
            yield from self._flat(node, depth)
        elif name in ("ul", "ol"):
            yield from self._list(node, depth)
        elif name == "table":
            yield from self._table(node, depth)
        elif name == "blockquote":
            quoted = "\n\n".join(self.blocks(node.children, depth))
            yield "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))
        elif name == "hr":
            yield "***"
        elif re.fullmatch(r"h[1-6]|dt|caption|legend|summary", name):
            yield from self._paragraph(html_inline.marked("**", self._words(node, depth)))
        else:
            self._name_unknown(name)
            yield from self.blocks(node.children, depth)

    def _flat(self, node: Element, depth: int) -> Iterator[str]:
        if node.name in ("ul", "ol", "table", "blockquote"):
            self.losses.append({"table": "table", "blockquote": "quotation"}.get(node.name, "list"))
        if node.name == "table":
            yield from (cell for row in _rows(node) for cell in self.blocks(row.children, depth, one_line=True))
        else:
            yield from self.blocks(node.children, depth, one_line=True)

    def _listing(self, node: Element, *, one_line: bool) -> Iterator[str]:
        self._name_in_code(node)
        text = PRIVATE.sub("", _CONTROL.sub("", _text_with_breaks(node))).replace("\r\n", "\n").strip("\n")
        if one_line:
            yield from self._paragraph(html_inline.code(text))
        elif text.strip():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
            yield f"{fence}\n{text}\n{fence}"

    def _list(self, node: Element, depth: int) -> Iterator[str]:
        entries = []
        first = int(node.get("start")) - 1 if re.fullmatch(r"[1-9][0-9]{0,3}", node.get("start")) else 0
        if node.name == "ol" and (node.get("type") not in ("", "1") or node.get("reversed")):
            self.losses.append("numbering of a list")
        for number, entry in enumerate(_entries(node), 1):
            # “1)” and “*” cannot be taken for the steps and pairs of our own banks.
            begin = f"{number + first}) " if node.name == "ol" else "* "
            text = "\n\n".join(self.blocks(entry, depth + 1)) or " "
            entries.append(
                begin + text.replace("\n", "\n" + " " * len(begin)).replace("\n" + " " * len(begin) + "\n", "\n\n")
            )
        if entries:
            yield "\n".join(entries)

    def _table(self, node: Element, depth: int) -> Iterator[str]:
        rows = [[self._cell(cell, depth) for cell in row.elements("td", "th")] for row in _rows(node)]
        rows = [row for row in rows if row]
        caption = node.find("caption")
        if caption is not None:
            yield from self._block(caption, depth, one_line=False)
        if not rows:
            return
        if any(cell.get("colspan") not in ("", "1") or cell.get("rowspan") not in ("", "1") for cell in _cells(node)):
            self.losses.append("joined cells of a table")
        width = max(map(len, rows))
        lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
        yield "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])

    def _cell(self, cell: Element, depth: int) -> str:
        text = " ".join(" ".join(self.blocks(cell.children, depth + 2, one_line=True)).split())
        return re.sub(r"(?<!\\)\|", r"\\|", text)

    def _words(self, node: Element, depth: int, *, one_line: bool = False) -> str:
        return "".join(self.inline(child, depth + 1, one_line=one_line) for child in node.children)

    def inline(self, node: Element | str, depth: int, *, one_line: bool) -> str:
        """Return words and their marks, still to be finished."""
        if isinstance(node, str):
            return html_inline.escape(PRIVATE.sub("", _CONTROL.sub("", node)).replace("\u00a0", " "))
        name = node.name
        if name in _DROPPED:
            if name not in _SILENT:
                self.losses.append(f"<{name}>")
            return ""
        if name == "br":
            return " " if one_line else BREAK
        if name == "img":
            return self._picture(node)
        if name in _CODE or name == "pre":
            self._name_in_code(node)
            return html_inline.code(PRIVATE.sub("", _CONTROL.sub("", _text_with_breaks(node))))
        return self._marked(node, self._words(node, depth, one_line=one_line))

    def _marked(self, node: Element, words: str) -> str:
        name = node.name
        if name in _MARKS:
            return html_inline.marked(_MARKS[name], words)
        if name in ("sub", "sup"):
            moved = (html_inline.lowered if name == "sub" else html_inline.raised)(words)
            if moved is None:
                self.losses.append("raised or lowered text")
            return (f"({words})" if name == "sub" else f"^({words})") if moved is None else moved
        if name == "q":
            return f"“{words}”"
        if name == "a":
            return self._link(node, words)
        self._name_unknown(name)
        if name in _SHOWN and words.strip():
            self.losses.append(_SHOWN[name])
        if _COLOUR.search(f"{node.get('style')};color:{node.get('color')}") and words.strip():
            self.losses.append("colour")
        return f" {words} " if name in _BLOCKS or name in ("td", "th", "tr") else words

    def _link(self, node: Element, words: str) -> str:
        address = _CONTROL.sub("", node.get("href"))
        if not address or not words.strip() or "](" in words:
            self.losses += ["link"] if "](" in words else []
            return words
        if _scheme(address) not in _SCHEMES or re.search(r"[\s<>\\\ue000-\ue006]", address):
            self.losses.append("link")
            return words
        return f"[{words.strip()}](<{address}>)" if re.search(r"[()]", address) else f"[{words.strip()}]({address})"

    def _picture(self, node: Element) -> str:
        name, alternative = self.picture(node.get("src")), PRIVATE.sub("", _CONTROL.sub("", node.get("alt")))
        words = html_inline.escape(" ".join(alternative.split()))
        if name is None:
            self.losses.append("picture")
            return words
        self.pictures.append(name)
        return f"![{words}](file:{name})" if " " not in name else f"![{words}](<file:{name}>)"

    def _name_in_code(self, node: Element) -> None:
        """Keep what code loses: it is characters alone."""
        for child in node.elements():
            if child.name in _DROPPED:
                self.losses.append(f"<{child.name}>")
            elif child.name == "img":
                self.losses.append("picture")
            elif child.name in _MARKS or child.name in _SHOWN:
                self.losses.append("emphasis within code")
            self._name_in_code(child)

    def _name_unknown(self, name: str) -> None:
        if name not in _BLOCKS and name not in _PLAIN:
            self.losses.append(f"<{name[:40]}>")


def _holds_block(node: Element, depth: int) -> bool:
    """Return whether a node is a block, or an inline element around one."""
    if node.name in _BLOCKS:
        return True
    if node.name in _DROPPED or node.name in _CODE or depth > MAXIMUM_DEPTH:
        return False
    return node.name not in _MARKS and node.name != "a" and any(_holds_block(one, depth + 1) for one in node.elements())


def _rows(table: Element) -> Iterator[Element]:
    for child in table.elements("tr", "thead", "tbody", "tfoot"):
        yield from [child] if child.name == "tr" else child.elements("tr")


def _cells(table: Element) -> Iterator[Element]:
    for row in _rows(table):
        yield from row.elements("td", "th")


def _entries(node: Element) -> Iterator[list[Element | str]]:
    """Yield what stands in each entry of a list; a list right within a list belongs to no entry and is one."""
    for child in node.children:
        if isinstance(child, Element):
            yield child.children if child.name == "li" else [child]
        elif child.strip():
            yield [child]


def _text_with_breaks(node: Element) -> str:
    return "".join(
        child if isinstance(child, str) else "\n" if child.name == "br" else _text_with_breaks(child)
        for child in node.children
        if isinstance(child, str) or child.name not in _DROPPED
    )


def _scheme(address: str) -> str:
    """Return an address's scheme in lower case; what cannot be read as an address has one that nobody allows."""
    try:
        return urlsplit("".join(address.split())).scheme.lower()
    except ValueError:
        return "invalid"
