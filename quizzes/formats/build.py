"""Items out of the parts that another program's file gives: judged by the rules of our own banks."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quizzes.formats.drafts import Draft, Line, finish
from quizzes.formats.reading import Finding, Imported, Severity

MOST_QUESTIONS = 10_000
_LONGEST_ID = 60
_QUOTES = str.maketrans("“”", '""')
_WORDS = {2: "two", 3: "three"}
_TAG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# What would be taken for something else than a line of a stem when the item is read out of our own Markdown.
_GUARDED = re.compile(r"(?:## |\*\*(?:Task|Difficulty|Lesson|Kind|Set|Case|Tags|Order|Answer|Proof|Why|Today)\*\*)")
_OPTION_LIKE = {
    "choice": re.compile(r"- \[[ xX]\]"),
    "ordering": re.compile(r"\d+(?=\. )"),
    "matching": re.compile(r"- .*→ "),
}
# The official romanisation of Bulgarian (Transliteration Act, 2009), letter by letter.
_LETTERS = str.maketrans("абвгдезийклмнопрстуфхъь", "abvgdeziyklmnoprstufhay") | str.maketrans(
    {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ю": "yu", "я": "ya"}
)


@dataclass(frozen=True)
class Place:
    """Where a question stands in its file, what it is called there, and the ``id`` that its item gets (see Names).

    ``number`` counts the questions of the file from 1.
    """

    number: int
    line: int
    column: int
    id: str
    name: str = ""
    category: str = ""
    member: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuiltOption:
    """An option, a step, or one side of a pair, as Markdown on one line; ``target`` is the other side."""

    text: str
    correct: bool = True
    rationale: str = ""
    line: int = 0
    column: int = 1
    target: str = ""


@dataclass(frozen=True)
class Built:
    """The item of a question, or nothing where it has errors; and what is said of it."""

    imported: Imported | None
    findings: tuple[Finding, ...]


@dataclass
class Names:
    """Gives each question of a file an id of its own, made of its name."""

    taken: set[str] = field(default_factory=set)

    def of(self, name: str, number: int) -> str:
        """Return the id for the question of that name and number: words of a to z and digits, joined by hyphens."""
        name = _words(name) or f"import-{number:04}"
        name = name if "-" in name else f"import-{name}"
        found, copy = name, 2
        while found in self.taken:
            found, copy = f"{name}-{copy}", copy + 1
        self.taken.add(found)
        return found


def choice(place: Place, stem: str, options: Sequence[BuiltOption], **more: str) -> Built:
    """Return a multiple choice or, where several options are right, a multiple response.

    ``more`` may have ``explanation`` and, for options that keep their order, ``order="fixed"``.
    """
    keys = sum(one.correct for one in options)
    findings = []
    wanted = f"Choose {_WORDS.get(keys, keys)}."
    if keys > 1 and wanted[:-1].lower() not in stem.lower():
        stem = f"{stem.rstrip()} {wanted}"
        findings.append(_finding(place, "note", f"“{wanted}” was added to the stem, as so many options are right."))
    return _build(_Parts(place, "choice", stem, options, more), findings)


def true_false(place: Place, stem: str, *, right: bool, reasons: tuple[str, str] = ("", ""), **more: str) -> Built:
    """Return a statement to be judged; ``reasons`` are those of True and of False."""
    options = [
        BuiltOption("True", right, reasons[0], place.line),
        BuiltOption("False", not right, reasons[1], place.line),
    ]
    return _build(_Parts(place, "choice", stem, options, more), [])


def numeric(place: Place, stem: str, value: str, **more: str) -> Built:
    """Return an item whose answer is a number; ``more`` may have ``tolerance``, ``unit`` and ``rationale``."""
    tolerance, unit = more.pop("tolerance", ""), more.pop("unit", "")
    words = " ".join(filter(None, (value, f"± {tolerance}" if tolerance else "", unit)))
    option = BuiltOption(words, rationale=more.pop("rationale", ""), line=place.line)
    return _build(_Parts(place, "numeric", stem, [option], more), [])


def short_text(place: Place, stem: str, spellings: Sequence[str], **more: str) -> Built:
    """Return an item whose answer is a few words, in one of these spellings."""
    quoted = [f"“{one.translate(_QUOTES)}”" for one in spellings if one.strip()]
    option = BuiltOption(" or ".join(quoted), rationale=more.pop("rationale", ""), line=place.line)
    return _build(_Parts(place, "text", stem, [option] if quoted else [], more), [])


def ordering(place: Place, stem: str, steps: Sequence[BuiltOption], **more: str) -> Built:
    """Return an item whose steps, given in their right order, are to be put into it."""
    return _build(_Parts(place, "ordering", stem, steps, more), [])


def matching(place: Place, stem: str, pairs: Sequence[BuiltOption], **more: str) -> Built:
    """Return an item of pairs; a pair without a text of its own is a partner that nothing is matched with."""
    plain = [replace(one, text=one.text.replace("→", "->"), target=one.target.replace("→", "->")) for one in pairs]
    findings = []
    if plain != list(pairs):
        findings.append(_finding(place, "note", "An arrow within a pair is written as “->”."))
    return _build(_Parts(place, "matching", stem, plain, more), findings)


@dataclass(frozen=True)
class _Parts:
    """All that an item is made of."""

    place: Place
    kind: str
    stem: str
    options: Sequence[BuiltOption]
    more: Mapping[str, str]


def _build(parts: _Parts, findings: list[Finding]) -> Built:
    place, refused = parts.place, []
    draft = _draft(parts)
    tags, dropped = _tags(place.tags)
    if tags:
        draft.fields["Tags"] = (", ".join(tags), place.line, place.column)
    findings += [_finding(place, "loss", f"“{one}” is no tag here and is not kept.") for one in dropped]

    def find(line: int, column: int, sentence: str) -> None:
        refused.append(replace(_finding(place, "error", sentence), line=line, column=column))

    item = finish(draft, "", {}, find)
    if item is None or refused:
        return Built(None, (*findings, *refused))
    known = Imported(place.number, place.line, place.column, place.name, item, place.category, place.member)
    return Built(known, tuple(findings))


def _draft(parts: _Parts) -> Draft:
    place = parts.place
    stem = _guard(parts.stem, parts.kind).split("\n")
    draft = Draft(place.id, place.line, complete=False, stem=stem, stem_line=place.line)
    if parts.kind != "choice":
        draft.fields["Kind"] = (parts.kind, place.line, place.column)
    if parts.more.get("order"):
        draft.fields["Order"] = (parts.more["order"], place.line, place.column)
    draft.lines = [
        Line(one.line or place.line, [_one_line(one.text)], one.correct, _one_line(one.target), _reason(one.rationale))
        for one in parts.options
    ]
    draft.explanation = [_one_line(parts.more.get("explanation", ""))]
    return draft


def refuse(place: Place, sentence: str, raw: str = "") -> Built:
    """Return what is said of a question that cannot be an item here."""
    return Built(None, (replace(_finding(place, "error", sentence), raw=raw),))


def lose(built: Built, place: Place, sentence: str, raw: str = "") -> Built:
    """Return the same with one more thing that the question had and the item has not."""
    return Built(built.imported, (*built.findings, replace(_finding(place, "loss", sentence), raw=raw)))


def _finding(place: Place, severity: Severity, sentence: str) -> Finding:
    return Finding(place.line, place.column, severity, sentence, place.number, place.member)


def _guard(stem: str, kind: str) -> str:
    """Return a stem of which no line is taken for a heading, a field or an option when it is read again."""
    like = _OPTION_LIKE.get(kind)
    lines = []
    for line in stem.strip().split("\n"):
        found = like.match(line) if like else None
        if found and kind == "ordering":
            lines.append(f"{line[: found.end()]}\\{line[found.end() :]}")
        elif found or _GUARDED.match(line):
            lines.append(f"\\{line}")
        else:
            lines.append(line)
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reason(text: str) -> list[str]:
    line = _one_line(text)
    return [f"\\{line}" if line.startswith("**Finding**") else line] if line else []


def _tags(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the tags that are names here, and those that cannot be made into one."""
    tags, dropped = [], []
    for name in names:
        tag = _words(name)
        if tag and _TAG.fullmatch(tag):
            tags.append(tag)
        else:
            dropped.append(name)
    return list(dict.fromkeys(tags)), dropped


def _words(name: str) -> str:
    """Return a name as lower-case words of a to z and digits joined by hyphens; of other scripts, a hash of it."""
    latin = name.casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:_LONGEST_ID].strip("-")
    if words or not name.strip():
        return words
    return f"import-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
