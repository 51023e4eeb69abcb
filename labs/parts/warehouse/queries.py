"""Queries and changes: tokens that nest no deeper than the parser bears, and the tree that sqlglot makes of them."""

from __future__ import annotations

from typing import ClassVar, cast

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, TokenError

from labs.parts.warehouse.allowed import check
from labs.parts.warehouse.faults import Place, WarehouseError
from labs.parts.warehouse.statements import Change, Select

DEPTH = 40
"""So many brackets and CASEs may stand in each other; more would exhaust the parser before any limit of time."""

_BEGINNINGS = {"SELECT", "WITH", "(", "INSERT", "UPDATE", "DELETE"}
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}


class _Tokenizer(Redshift.Tokenizer):
    """Redshift's words, none of which hides the rest of its statement, as UNLOAD does in sqlglot."""

    COMMANDS: ClassVar[set[TokenType]] = set()


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text; raise WarehouseError where it ends inside a quotation or nests too deeply."""
    try:
        tokens = _Tokenizer(dialect=Redshift()).tokenize(text)
    except TokenError:
        raise Place(text, len(text)).fault("The text ends inside a quotation or a comment.") from None
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > DEPTH:
            raise Place(text, token.start).fault(f"More than {DEPTH} brackets stand in each other here.")
    return tokens


def read_query(tokens: list[Token], text: str) -> Select | Change:
    """Return the one query or change in the tokens; raise WarehouseError for what is not offered."""
    place = Place(text, tokens[0].start)
    if tokens[0].text.upper() not in _BEGINNINGS:
        # Not left to the parser, which would take what it does not know as a command.
        raise place.fault(f"“{tokens[0].text[:40]}” begins no statement that is offered here.")
    try:
        (tree,) = Redshift().parser().parse(tokens, text)
    except ParseError as error:
        first = error.errors[0]
        near = str(first["highlight"])
        column = max(1, int(first["col"]) - len(near) + 1)
        raise WarehouseError(int(first["line"]), column, f"This cannot be read near “{near[:40]}”.") from None
    if tree is None:
        raise place.fault("This is no statement.")
    check(tree, place)
    if isinstance(tree, exp.Insert | exp.Update | exp.Delete):
        return Change(place, tree)
    return Select(place, cast("exp.Query", tree))
