"""A cursor over the tokens of one statement."""

from __future__ import annotations

from sqlglot import Token, TokenType

from labs.parts.warehouse.faults import Place, WarehouseError

_QUOTED = {TokenType.STRING, TokenType.IDENTIFIER}


class Words:
    """Takes words, names, strings and numbers one after the other; every fault says where it stands."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0

    @property
    def place(self) -> Place:
        """Where the next token begins; behind the last one, where that ends."""
        behind = self._at >= len(self._tokens)
        return Place(self._text, self._tokens[-1].end + 1 if behind else self._tokens[self._at].start)

    def take(self, words: str) -> bool:
        """Move behind these words (given in capitals) and return True, or stay and return False."""
        wanted = words.split()
        found: list[str] = []
        at = self._at
        while at < len(self._tokens) and self._tokens[at].token_type not in _QUOTED and len(found) < len(wanted):
            # DOUBLE PRECISION and its like are one token of two words.
            found += self._tokens[at].text.upper().split()
            at += 1
        if found != wanted:
            return False
        self._at = at
        return True

    def need(self, words: str) -> None:
        """Move behind these words; raise WarehouseError where others stand."""
        if not self.take(words):
            raise self.fault(f"{words} is expected here.")

    def name(self) -> str:
        """Take a name; Redshift folds names to lower case, quoted ones too."""
        token = self._next("A name")
        if token.token_type == TokenType.STRING or not token.text.isidentifier():
            raise self.fault("A name of letters, digits and underscores is expected here.", back=1)
        return token.text.lower()

    def string(self) -> str:
        """Take a string in single quotes."""
        token = self._next("A text in single quotes")
        if token.token_type != TokenType.STRING:
            raise self.fault("A text in single quotes is expected here.", back=1)
        return token.text

    def number(self) -> int:
        """Take a whole number."""
        token = self._next("A whole number")
        if token.token_type != TokenType.NUMBER or not (token.text.isdecimal() and len(token.text) < 10):
            raise self.fault("A whole number is expected here.", back=1)
        return int(token.text)

    def end(self) -> None:
        """Raise WarehouseError unless every token was taken."""
        if not self.done:
            raise self.fault(f"“{self._tokens[self._at].text}” is not offered here.")

    @property
    def done(self) -> bool:
        """Whether every token was taken."""
        return self._at >= len(self._tokens)

    def fault(self, sentence: str, back: int = 0) -> WarehouseError:
        """Return a fault at the next token, or at one before it."""
        self._at -= back
        return self.place.fault(sentence)

    def _next(self, what: str) -> Token:
        if self.done:
            raise self.fault(f"{what} is expected here.")
        self._at += 1
        return self._tokens[self._at - 1]
