"""Links between files of the library, given the address that each has where the page is shown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from content.render import SCHEME

_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_NOTE = re.compile(r"(?:.*/)?([0-9]{4}-[0-9]{2})-([a-z0-9-]+)(#.*)?")


def rewrite(page: str, address: Callable[[str], str | None]) -> str:
    """Return rendered XHTML with each link between files led to ``address(target)``; None leaves only its words."""

    def replace(match: re.Match[str]) -> str:
        target = html.unescape(match[1])
        if SCHEME.match(target) or target.startswith("#"):
            return match[0]
        found = address(target)
        return match[2] if found is None else f'<a href="{html.escape(found)}">{match[2]}</a>'

    return _LINK.sub(replace, page)


def note_of(target: str) -> tuple[str, str, str] | None:
    """Return (month, slug, ``#anchor`` or nothing) if a link leads to a note."""
    match = _NOTE.fullmatch(target)
    return (match[1], match[2], match[3] or "") if match else None
