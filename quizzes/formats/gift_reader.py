"""Moodle's GIFT, read in one pass; what it says and we have no place for is found and named.

The rules are those of Moodle's documentation of the format and of what its importer does where that is silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import islice

from quizzes.formats import build
from quizzes.formats.build import Built
from quizzes.formats.drafts import Line
from quizzes.formats.gift_scan import Block, Places, blocks
from quizzes.formats.reading import Finding, Imported, Reading, Severity
from quizzes.formats.source import MAXIMUM_QUESTIONS, MAXIMUM_RAW, lines_ended, too_many

BLANK = "_____"
"""What stands in a stem where a word is missing."""
_LEAD = re.compile(r"(?:[^\\=~#]++|\\.?+)*+", re.DOTALL)
"""A text up to the first mark that is not escaped."""
_PART = re.compile(rf"([=~#])({_LEAD.pattern})", re.DOTALL)
_BRACED = re.compile(r"(TEXT)\{(TEXT)\}(TEXT)".replace("TEXT", r"(?:[^\\{}]++|\\.?+)*+"), re.DOTALL)
"""What stands before, within and after the only braces of a question."""
_ESCAPE = re.compile(r"\\([\\~=#{}:n])")
_FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]", re.IGNORECASE)
_WEIGHT = re.compile(r"\s*%(-?[0-9]{1,3}(?:\.[0-9]{1,10})?)%")
_TRUTH = re.compile(r"\s*(TRUE|T|FALSE|F)\s*$", re.IGNORECASE)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_HTML = re.compile(r"</?[a-zA-Z]|&(?:#\d|#x|[a-zA-Z]+;)")
_SPECIAL = re.compile(r"[\\`*<\[\]]|&(?=[#A-Za-z])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_SUSPICIOUS = re.compile(r"[\\`*<\[\]&_]")
"""Characters without which no text is special: one set is searched several times as fast as the alternatives are."""
_TAG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBER = re.compile(r"[+-]?[0-9]{0,30}\.?[0-9]{1,30}(?:[eE][+-]?[0-9]{1,2})?")
_RIGHT = Decimal(100)


@dataclass
class Part:
    """One answer within braces: its mark, its weight where it has one, its text and its feedback, as written."""

    mark: str
    text: str
    offset: int
    feedback: list[str] = field(default_factory=list)
    """Its parts, which is one in most files."""
    weight: Decimal | None = None

    @property
    def worth(self) -> Decimal:
        """The share of the mark that choosing it gives, in percent."""
        if self.weight is not None:
            return self.weight
        return _RIGHT if self.mark == "=" else Decimal(0)

    def earns(self, *, single: bool) -> bool:
        """Return whether it is right: where one is chosen, what earns everything; of several, what earns anything."""
        return self.worth >= _RIGHT if single else self.worth > 0


@dataclass
class _Question:
    """One block while it is read."""

    number: int
    block: Block
    places: Places
    findings: list[Finding] = field(default_factory=list)
    name: str = ""
    stem: str = ""
    format: str = ""
    explanation: str = ""

    @property
    def start(self) -> tuple[int, int]:
        first = self.block.lines[0]
        return self.places.of(self.block.start + len(first) - len(first.lstrip()))

    def add(self, severity: Severity, offset: int, sentence: str, raw: str = "") -> None:
        """Keep a finding at an offset within the block."""
        line, column = self.places.of(self.block.start + offset)
        self.findings.append(Finding(line, column, severity, sentence, self.number, raw=raw.strip()[:MAXIMUM_RAW]))

    def refuse(self, offset: int, sentence: str) -> Built:
        """Keep an error with the whole source of the question."""
        self.add("error", offset, sentence, self.block.text)
        return None, ()

    def words(self, text: str, offset: int, *, one_line: bool = True) -> str:
        """Return a text as Markdown: escapes undone, its format heeded, and what is lost by that said."""
        if not _SUSPICIOUS.search(text):
            return text.strip()
        found = _FORMAT.match(text)
        written = found[1].lower() if found else self.format
        plain = text[found.end() :] if found else text
        plain = _ESCAPE.sub(_unescape, plain).strip()
        if written == "markdown" or not _SUSPICIOUS.search(plain):
            return plain
        if written == "html" or (written != "plain" and _HTML.search(plain)):
            from quizzes.formats.html import to_markdown  # noqa: PLC0415 (few files have HTML, and lxml is large)

            # The file has no pictures, so that one is a loss.
            converted = to_markdown(plain, one_line=one_line, picture=lambda _address: None)
            if converted.losses:
                sentence = f"The HTML of this text loses what cannot be kept: {', '.join(converted.losses)}."
                self.add("loss", offset, sentence, text)
            return converted.text
        return _SPECIAL.sub(r"\\\g<0>", plain)

    def option(self, part: Part, *, correct: bool, target: str = "") -> Line:
        """Return an answer as an option with its rationale, or as a pair."""
        line = self.places.line(self.block.start + part.offset)
        return build.option(self.words(part.text, part.offset), correct, self.reason(part), line, target)

    def reason(self, part: Part) -> str:
        """Return the feedback of an answer; more than one part of it is joined, and said."""
        if len(part.feedback) > 1:
            sentence = "The feedback of this answer has several parts; they are joined."
            self.add("loss", part.offset, sentence, part.feedback[1])
        return self.words(" ".join(part.feedback), part.offset)

    def built(self, make: Callable[..., Built], *arguments: object) -> Built:
        """Build an item of what the question has, whatever kind it is of."""
        name = self.name or self.block.id
        given = {"explanation": self.explanation, "category": self.block.category}
        return make(self.number, *self.start, name, self.stem, *arguments, **given)


def read(text: str) -> Reading:
    """Return the items of a GIFT file, and what of it is not in them."""
    text = lines_ended(text)
    places = Places(text)
    items: list[Imported] = []
    findings: list[Finding] = []
    found_blocks = list(islice(blocks(text), MAXIMUM_QUESTIONS + 1))
    if len(found_blocks) > MAXIMUM_QUESTIONS:
        return too_many()
    for number, block in enumerate(found_blocks, 1):
        question = _Question(number, block, places)
        made, found = _read(question)
        if made is not None:
            items.append(_tagged(made, question))
        findings += question.findings
        for one in found:
            raw = block.text.strip()[:MAXIMUM_RAW] if one.severity == "error" else one.raw
            findings.append(replace(one, raw=raw))
    kept, notes = build.with_ids_of_their_own(items)
    if not found_blocks:
        findings.append(Finding(1, 1, "error", "The file has no question; one ends with its answers in braces."))
    return Reading(
        kept, tuple(sorted((*findings, *notes), key=lambda one: (one.question, one.line))), len(found_blocks)
    )


def _read(question: _Question) -> Built:
    """Read one block: name, stem, answers in braces, and what follows them."""
    text = question.block.text
    found = _BRACED.fullmatch(text)
    if found is None:
        first = next((one.start() for one in _BRACE.finditer(text) if one[0] in "{}"), len(text) - len(text.lstrip()))
        return question.refuse(first, _brace_fault("".join(one for one in _BRACE.findall(text) if one in "{}")))
    head, inside, tail = found.groups()
    opening, offset = found.end(1), found.start(2)
    _read_head(question, head, tail)
    inside, feedback = _without_general(inside)
    question.explanation = question.words(feedback, offset + len(inside))
    if not inside.strip():
        return question.refuse(opening, "This is an essay; there is no such kind here, so it is left out.")
    if inside.lstrip().startswith("#"):
        at = inside.index("#") + 1
        return _number(question, inside[at:], offset + at)
    lead, parts = _parts(question, inside, offset)
    if lead and (truth := _TRUTH.match(lead)) and all(part.mark == "#" for part in parts):
        return _truth(question, truth[1][0].upper() == "T", parts)
    if lead.strip():
        return question.refuse(offset, "The answers begin with no “=” or “~”; put one before each of them.")
    return _answered(question, parts)


def _answered(question: _Question, parts: list[Part]) -> Built:
    """Build the kind that marks and arrows make of the answers."""
    if any(part.mark == "~" for part in parts):
        return _choice(question, parts)
    if all("->" in part.text for part in parts):
        return _matching(question, parts)
    return _short_text(question, parts)


def _brace_fault(marks: str) -> str:
    if not marks:
        return "This text has no answers in braces; a description is no question here, and is left out."
    if marks.count("{") > marks.count("}"):
        return "A brace is not closed; write “}” after the answers, and “\\{” for a brace in a text."
    if marks.count("{}") > 1:
        return "This question has more than one set of braces; end each question with a blank line."
    return "A brace closes that was not opened; write “\\}” for a brace in a text."


def _read_head(question: _Question, head: str, tail: str) -> None:
    """Read the name, the format and the stem; a text after the braces makes them a blank in the stem."""
    offset = len(head) - len(head.lstrip())
    if head.startswith("::", offset) and (end := _end_of_name(head, offset + 2)) >= 0:
        question.name = _ESCAPE.sub(_unescape, head[offset + 2 : end]).strip()
        offset = end + 2
    elif head.startswith("::", offset):
        question.add("note", offset, "The name does not end with “::”, so it is part of the question.")
    if found := _FORMAT.match(head, offset):
        question.format = found[1].lower()
    stem = question.words(head[offset:], offset, one_line=False)
    if tail.strip():
        after = question.words(tail, len(question.block.text) - len(tail), one_line=False)
        space = "" if after[:1] in ".,;:?!)" else " "
        stem = f"{stem} {BLANK}{space}{after}".strip()
    question.stem = stem


def _end_of_name(head: str, start: int) -> int:
    end = head.find("::", start)
    while end > 0 and head[end - 1] == "\\":
        end = head.find("::", end + 1)
    return end


def _without_general(inside: str) -> tuple[str, str]:
    """Return the answers, and the feedback of the whole question after four ``#``."""
    at = inside.find("####")
    while at > 0 and inside[at - 1] == "\\":
        at = inside.find("####", at + 1)
    return (inside, "") if at < 0 else (inside[:at], inside[at + 4 :])


def _parts(question: _Question, inside: str, offset: int) -> tuple[str, list[Part]]:
    """Return the text before the first mark, and the answers; feedback belongs to the answer before it."""
    leading = _LEAD.match(inside)
    lead = leading[0] if leading else ""
    parts: list[Part] = []
    for found in _PART.finditer(inside, len(lead)):
        mark, text = found.groups()
        if mark != "#" or not parts or parts[-1].mark == "#":
            parts.append(_weighed(mark, text, offset + found.start(2)))
            if mark == "=" and found.start() and not inside[found.start() - 1].isspace():
                sentence = "This “=” begins a right answer, in the middle of a word; write “\\=” for a sign."
                question.add("note", offset + found.start(), sentence)
        elif feedback := text.strip():
            parts[-1].feedback.append(feedback)
    return lead, parts


def _weighed(mark: str, text: str, offset: int) -> Part:
    found = _WEIGHT.match(text) if "%" in text and mark != "#" else None
    return Part(mark, text[found.end() :], offset, weight=Decimal(found[1])) if found else Part(mark, text, offset)


def _truth(question: _Question, right: bool, parts: list[Part]) -> Built:
    """Build a true/false; the first feedback is for those who are wrong, the second for those who are right."""
    wrong_reason, right_reason = ([question.words(part.text, part.offset) for part in parts] + ["", ""])[:2]
    for part in parts[2:]:
        question.add("loss", part.offset, "A third feedback has no place here; it is left out.", part.text)
    reasons = (right_reason, wrong_reason) if right else (wrong_reason, right_reason)
    return question.built(build.true_false, right, reasons)


def _choice(question: _Question, parts: list[Part]) -> Built:
    """Build a choice: of one where an “=” marks the key, of several where only weights do."""
    single = any(part.mark == "=" for part in parts)
    right = [part for part in parts if part.earns(single=single)]
    for part in parts:
        if single and part.weight and not part.earns(single=True):
            question.add("loss", part.offset, f"The {part.weight} % that this option earns is left out.", part.text)
    if single and len(right) > 1:
        sentence = "Any one of several right options was enough; now all of them must be chosen."
        question.add("loss", right[1].offset, sentence, right[1].text)
    if not single:
        _compare_weights(question, parts, right)
    return question.built(build.choice, [question.option(one, correct=one.earns(single=single)) for one in parts])


def _compare_weights(question: _Question, parts: list[Part], right: list[Part]) -> None:
    """Say where weights are other than equal shares and the same taken off, which is what we score."""
    if not right:
        return
    share = _RIGHT / len(right)
    for part in parts:
        wanted = (share,) if part.earns(single=False) else (Decimal(0), -share, -_RIGHT)
        if all(abs(part.worth - one) > 1 for one in wanted):
            sentence = f"The weight of {part.worth} % is left out; every option counts the same here."
            question.add("loss", part.offset, sentence, part.text)


def _matching(question: _Question, parts: list[Part]) -> Built:
    pairs = []
    for part in parts:
        left, _arrow, partner = part.text.partition("->")
        if part.weight is not None:
            question.add("loss", part.offset, f"The weight of {part.weight} % is left out.", part.text)
        target = question.words(partner, part.offset)
        pairs.append(question.option(replace(part, text=left), correct=True, target=target))
    return question.built(build.matching, pairs)


def _short_text(question: _Question, parts: list[Part]) -> Built:
    """Build a short text of the spellings that earn the whole mark."""
    kept = [part for part in parts if part.worth >= _RIGHT]
    for part in parts:
        if part.worth < _RIGHT:
            sentence = f"A spelling that earns {part.worth} % is left out; a short text is right or wrong here."
            question.add("loss", part.offset, sentence, part.text)
        elif re.search(r"(?<!\\)\*", part.text):
            question.add("loss", part.offset, "“*” is no wildcard here; it is kept as a character.", part.text)
    reasons = [(part, question.reason(part)) for part in kept]
    first = next((reason for _, reason in reasons if reason), "")
    for part, reason in reasons:
        if reason and reason != first:
            question.add("loss", part.offset, "A short text has one rationale; this one is left out.", reason)
    texts = (part.text[found.end() :] if (found := _FORMAT.match(part.text)) else part.text for part in kept)
    spellings = [_ESCAPE.sub(_unescape, text).replace("\\*", "*").strip() for text in texts]
    if not spellings:
        return question.refuse(0, "No spelling earns the whole mark, so none would be right.")
    return question.built(build.short_text, spellings, first)


def _number(question: _Question, inside: str, offset: int) -> Built:
    """Build a number of its first whole answer, which may be a value with a tolerance or a range."""
    lead, parts = _parts(question, inside, offset)
    if lead.strip() or not parts or parts[0].mark == "#":
        feedback = [parts[0].text.strip()] if parts and parts[0].mark == "#" else []
        alone = Part("=", lead, offset, feedback)
        parts = [alone, *(part for part in parts if part.mark != "#")]
    whole = [part for part in parts if part.mark == "=" and part.worth >= _RIGHT]
    for part in parts:
        if part not in whole[:1]:
            sentence = "A number has one right answer here; this one is left out."
            question.add("loss", part.offset, sentence, f"{part.text} {' '.join(part.feedback)}")
    limits = _limits(whole[0].text) if whole else None
    if limits is None:
        return question.refuse(offset, "This is no number; write one such as “#3”, “#3:0.5” or “#1..5”.")
    if ".." in whole[0].text:
        sentence = f"The range is written as {limits[0]} ± {limits[1]}."
        question.add("note", whole[0].offset, sentence, whole[0].text)
    return question.built(build.numeric, limits[0], limits[1], "", question.reason(whole[0]))


def _limits(text: str) -> tuple[str, str] | None:
    """Return a value and its tolerance, or None where the text is neither ``3``, ``3:0.5`` nor ``1..5``."""
    low, dots, high = text.strip().partition("..")
    value, _colon, tolerance = text.strip().partition(":")
    try:
        if dots:
            first, last = _decimal(low), _decimal(high)
            return f"{(first + last) / 2:f}", _plain(abs(last - first) / 2)
        return f"{_decimal(value):f}", _plain(abs(_decimal(tolerance or "0")))
    except InvalidOperation:
        return None


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise InvalidOperation
    return Decimal(text.strip())


def _plain(tolerance: Decimal) -> str:
    return f"{tolerance:f}" if tolerance else ""


def _unescape(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _tagged(made: Imported, question: _Question) -> Imported:
    """Return an item with the tags of its comment; those that are no names are left out, with a loss."""
    if not question.block.tags:
        return made
    names = {tag: "-".join(tag.casefold().split()) for tag in question.block.tags}
    tags = [name for name in names.values() if _TAG.fullmatch(name)]
    for tag, name in names.items():
        if name not in tags:
            question.add("loss", 0, "A tag is a word or words of Latin letters; this one is left out.", tag)
    if not tags:
        return made
    changed = replace(made.item.question, tags=tuple(dict.fromkeys(tags)))
    return replace(made, item=replace(made.item, question=changed))
