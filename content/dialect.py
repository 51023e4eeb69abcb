"""What our Markdown has beyond CommonMark, and two short cuts through it for words without marks.

A rule of markdown-it is asked at every line, or every piece of text, whether it applies. Most lines of a lesson are
words alone; the short cuts see that at once and make the tokens that the long way would.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

EMBEDS = frozenset({"quiz", "lab", "measured"})
"""Containers in whose place another room shows something."""
BLOCKS = frozenset({"note", "measured"})
"""Containers of several lines, which three colons end; the others are one line."""
CONTAINERS = EMBEDS | BLOCKS
OPENING = re.compile(r":::\s*([A-Za-z-]*)\s*(.*?)\s*$")

_ENDS_LIST_ITEM = re.compile(r"[-*+] +\S")
_MARKS = re.compile(r"[\n\\`~*_\[\]!<&]")


def container(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read ``:::note TITLE`` or ``:::measured RUN`` up to the closing ``:::``, or ``:::quiz ID``, ``:::lab SLUG``."""
    line = _source_line(state, start)
    match = OPENING.match(line) if line.startswith(":::") else None
    if match is None or match[1] not in CONTAINERS or state.is_code_block(start):
        return False
    if silent:
        return True
    close = start
    if match[1] in BLOCKS:
        close = next((line for line in range(start + 1, end) if _source_line(state, line).rstrip() == ":::"), end)
    if match[1] in EMBEDS:
        token = state.push("embed", "", 0)
        body = [_source_line(state, line) for line in range(start + 1, close)]
        token.info, token.content, token.map = match[1], "\n".join([match[2], *body]), [start, min(close + 1, end)]
        state.line = min(close + 1, end)
        return True
    token = state.push("container_open", "aside", 1)
    token.content, token.map = match[2], [start, close]
    # Paragraphs run on to the state's last line, whatever end they are given.
    last, state.lineMax = state.lineMax, close
    state.md.block.tokenize(state, start + 1, close)
    state.lineMax = last
    state.push("container_close", "aside", -1)
    state.line = close + 1
    return True


def short_paragraph(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Read a paragraph of one line that begins with a letter and that no other rule could claim."""
    begin = state.bMarks[start] + state.tShift[start]
    if silent or not state.src[begin].isalpha() or state.sCount[start] - state.blkIndent > 3:
        return False
    if not _is_last_line(state, start):
        return False
    content = state.src[begin : state.eMarks[start]].strip(" \t")
    state.line = start + 1
    state.push("paragraph_open", "p", 1).map = [start, start + 1]
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = content, [start, start + 1], []
    state.push("paragraph_close", "p", -1)
    return True


def inline(state: StateCore) -> None:
    """Parse the text of every block, but for texts without marks, which are one piece."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if token.content and not _MARKS.search(token.content):
            token.children.append(Token("text", "", 0, content=token.content))
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _is_last_line(state: StateBlock, line: int) -> bool:
    """Return whether what follows a line certainly ends its paragraph: nothing, a blank line, or the next list item."""
    following = line + 1
    if following >= state.lineMax or state.isEmpty(following):
        return True
    outdented = 0 <= state.sCount[following] < state.blkIndent
    return outdented and _ENDS_LIST_ITEM.match(_source_line(state, following)) is not None


def _source_line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
