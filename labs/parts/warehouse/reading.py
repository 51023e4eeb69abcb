"""Text to statements: cut at semicolons, then read by sqlglot or, where only Redshift has the form, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import Token, TokenType

from labs.parts.warehouse.faults import Place, WarehouseError
from labs.parts.warehouse.forms import FORMS
from labs.parts.warehouse.queries import read_query, tokens_of
from labs.parts.warehouse.statements import Statement
from labs.parts.warehouse.words import Words


def read(text: str, longest: int) -> tuple[Statement, ...]:
    """Return the statements of a text of at most ``longest`` characters; raise WarehouseError for the first fault."""
    if len(text) > longest:
        raise Place(text, longest).fault(f"The text has {len(text)} characters; at most {longest} are read.")
    strange = re.search("[\0\ud800-\udfff]", text)
    if strange:
        raise Place(text, strange.start()).fault("This character cannot stand in a statement.")
    try:
        return tuple(_statement(tokens, text) for tokens in _cut(tokens_of(text)))
    except RecursionError:
        raise WarehouseError(1, 1, "The text is nested too deeply to be read.") from None


def _cut(tokens: list[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            found.append(token)
        elif found:
            yield found
            found = []
    if found:
        yield found


def _statement(tokens: list[Token], text: str) -> Statement:
    words = Words(tokens, text)
    for beginning, form in FORMS.items():
        if words.take(beginning):
            statement = form(words, Place(text, tokens[0].start))
            words.end()
            return statement
    return read_query(tokens, text)
