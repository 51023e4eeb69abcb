"""Words with marks as Markdown: what stands as text stays text, and a mark that would not hold is left off.

While a paragraph is put together its marks are single characters of Unicode's private use area, two for a mark. Only
when its neighbours are known does ``finish`` turn them into asterisks and tildes, by CommonMark's rule of flanking
delimiter runs (CommonMark 0.31, section 6.2).
"""

from __future__ import annotations

import re
import unicodedata

BREAK = "\ue006"
"""Ends a line within a paragraph."""
PRIVATE = re.compile("[\ue000-\ue006]")
_MARKS = {"\ue000": "**", "\ue001": "**", "\ue002": "*", "\ue003": "*", "\ue004": "~~", "\ue005": "~~"}
_OPEN, _CLOSE = "\ue000\ue002\ue004", "\ue001\ue003\ue005"
_RUN = re.compile("[\ue000-\ue005]+")

_SPECIAL = re.compile(r"[\\`\[\]]|[*_~]+|<(?=[A-Za-z/!?]|$)|&(?=#?\w{1,32}(?:;|$)|$)")
_LINE_START = re.compile(r"(?m)^( *)(#{1,6}(?=[ \t\n]|$)|>|[-+](?=[ \t\n]|$)|[-=](?=[-= \t]*$)|:(?=::))")
# Only the number 1 can begin a list in the middle of a paragraph.
_NUMBERED = re.compile(r"(?m)(\A *\d{1,9}|^ *0{0,8}1)([.)])(?=[ \t\n]|$)")
_TABLE_LINE = re.compile(r"(?m)^[ :|-]*\|[ :|-]*$")
_UP = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_DOWN = str.maketrans("0123456789+-−=()aeoxhklmnpst", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜ")


def escape(text: str) -> str:
    """Escape what Markdown would take for marks within a line."""
    return _SPECIAL.sub(lambda found: _escaped(found, text), text)


def _escaped(found: re.Match[str], text: str) -> str:
    run, before, after = found[0], text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    alone = before in (" ", "\n") and before and after == " "
    within = before.isalnum() and after.isalnum()
    if (run[0] in "*_" and alone and before == " ") or (run[0] == "_" and within) or (run == "~" and before and after):
        return run
    return "".join(f"\\{mark}" for mark in run)


def marked(mark: str, words: str) -> str:
    """Put a mark (``**``, ``*`` or ``~~``) around words; spaces stay outside, and nothing gets no mark."""
    core = words.strip()
    opening = next(one for one in _OPEN if _MARKS[one] == mark)
    if not core or opening in core:
        return words
    lead, trail = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    return f"{lead}{opening}{core}{chr(ord(opening) + 1)}{trail}"


def code(text: str) -> str:
    """Return a text between as many backticks as it takes."""
    words = " ".join(text.split())
    if not words:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    space = " " if words[0] == "`" or words[-1] == "`" else ""
    return f"{fence}{space}{words}{space}{fence}"


def raised(text: str) -> str | None:
    """Return a text in superior figures, or None where there are none for it."""
    return _moved(text, _UP)


def lowered(text: str) -> str | None:
    """Return a text in inferior figures, or None where there are none for it."""
    return _moved(text, _DOWN)


def _moved(text: str, table: dict[int, int]) -> str | None:
    plain = text.strip()
    return plain.translate(table) if all(ord(one) in table for one in plain) else None


def finish(words: str) -> tuple[str, bool]:
    """Return a paragraph's Markdown, and whether a mark was left off.

    Runs of spaces become one, and line ends of the source stay line ends.
    """
    words = re.sub(r"[ \t\r\f]*\n\s*", "\n", re.sub(r"[ \t\r\f]+", " ", words)).strip()
    words = re.sub(rf"\s*{BREAK}\s*", BREAK, words).strip(BREAK)
    unheld = _unheld(words) if PRIVATE.search(words) else set()
    if PRIVATE.search(words):
        words = "".join("" if index in unheld else _MARKS.get(one, one) for index, one in enumerate(words))
    return _protected(words).replace(BREAK, "\\\n"), bool(unheld)


def _protected(text: str) -> str:
    """Escape what Markdown would take for a heading, a quotation, a list, a rule, a fence or a line of a table."""
    text = text.replace(BREAK, f"{BREAK}\n")
    text = _NUMBERED.sub(r"\1\\\2", _LINE_START.sub(r"\1\\\2", text))
    return _TABLE_LINE.sub(lambda found: found[0].replace("|", r"\|"), text).replace(f"{BREAK}\n", BREAK)


def _unheld(words: str) -> set[int]:
    """Return the places of the marks, with their partners, that would be shown as characters where they stand."""
    partners, stack, weak = dict[int, int](), list[int](), set[int]()
    for run in _RUN.finditer(words):
        before, after = words[run.start() - 1 : run.start()], words[run.end() : run.end() + 1]
        closed = False
        for index in range(run.start(), run.end()):
            if words[index] in _OPEN:
                stack.append(index)
                if closed or not _flanks(after, before):
                    weak.add(index)
            else:
                partners[index] = stack.pop()
                closed = True
                if not _flanks(before, after):
                    weak.add(index)
    pairs = [{close, start} for close, start in partners.items()]
    return set().union(*(pair for pair in pairs if pair & weak))


def _flanks(inner: str, outer: str) -> bool:
    """Return whether a delimiter run holds between the character inside the mark and the one outside it."""
    if not inner or inner.isspace() or inner == BREAK:
        return False
    if unicodedata.category(inner)[0] not in "PS":
        return True
    return not outer or outer.isspace() or outer == BREAK or unicodedata.category(outer)[0] == "P"
