"""Footnotes: ``[^1]`` in a text and a line ``[^1]: what the note says``, with a way back for every reference.

mdit-py-plugins reads them and puts the notes at the end of the page; what is shown is ours. Anchors hold a hash of
the page, so that several pages may stand in one document.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin

DEFINITION = re.compile(r" {0,3}\[\^([^\]\s]+)\]:")
REFERENCE = re.compile(r"\[\^([^\]\s]+)\]")


def install(markdown: MarkdownIt) -> None:
    """Let a renderer read and show footnotes."""
    footnote_plugin(markdown, inline=False)
    markdown.core.ruler.after("footnote_tail", "footnote_anchors", _anchors)
    for name, rule in (
        ("footnote_ref", _render_reference),
        ("footnote_block_open", _render_notes_open),
        ("footnote_block_close", _render_notes_close),
        ("footnote_open", _render_note_open),
        ("footnote_close", _render_note_close),
        ("footnote_number", _render_number),
        ("footnote_anchor", _render_way_back),
    ):
        markdown.add_render_rule(name, rule)


def labels(tokens: Sequence[Token]) -> set[str]:
    """Return the labels of the notes that a text refers to."""
    return {str(token.meta["label"]) for token in tokens if token.type == "footnote_open"}


def _anchors(state: StateCore) -> None:
    """Give every note its number, and the notes and the references to them their anchors."""
    if not state.env.get("footnotes", {}).get("list"):
        return
    page = hashlib.sha256(state.src.encode()).hexdigest()[:6]
    for one in _of_notes(state.tokens):
        one.meta["anchor"] = f"{page}-{one.meta['id'] + 1}"
    state.tokens = list(_numbered(state.tokens))


def _numbered(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens, each note beginning with its number: within its first paragraph, if it begins with one."""
    for index, token in enumerate(tokens):
        yield token
        if token.type == "footnote_open":
            number = Token("footnote_number", "", 0, meta=token.meta)
            if tokens[index + 1].type == "paragraph_open":
                tokens[index + 2].children = [number, *(tokens[index + 2].children or ())]
            else:
                yield number


def _of_notes(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in {"footnote_open", "footnote_anchor"}:
            yield token
        elif token.children and "[^" in token.content:
            yield from (child for child in token.children if child.type == "footnote_ref")


def _place(token: Token) -> str:
    """Return the anchor of a reference, whose first one has no number of its own."""
    count = token.meta["subId"] + 1
    return f"noteref-{token.meta['anchor']}" + (f"-{count}" if count > 1 else "")


def _render_reference(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    token = tokens[index]
    link = f'<a href="#note-{token.meta["anchor"]}" id="{_place(token)}" role="doc-noteref">'
    return f'<sup class="noteref">{link}{token.meta["id"] + 1}</a></sup>'


def _render_notes_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return '<div class="footnotes">\n'


def _render_notes_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return "</div>\n"


def _render_note_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return f'<aside id="note-{tokens[index].meta["anchor"]}" class="footnote" role="doc-footnote">\n'


def _render_note_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return "</aside>\n"


def _render_number(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    return f'<span class="footnote-number">{tokens[index].meta["id"] + 1}.</span> '


def _render_way_back(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    """Link back to a reference; its words are a sign and a number, as the page may be in any language."""
    token = tokens[index]
    count = token.meta["subId"] + 1
    number = f"{token.meta['id'] + 1}" + (f".{count}" if count > 1 else "")
    # The variation selector keeps the arrow a letter where it would be shown as a picture.
    return f' <a href="#{_place(token)}" class="footnote-back" role="doc-backlink">↩\ufe0e {number}</a>'
