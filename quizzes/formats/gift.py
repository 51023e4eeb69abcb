"""GIFT, the text format of Moodle: questions between empty lines, with their answers in braces.

The scanner goes once over the text, and each part of a question once more, so its time grows with the text's length.
The grammar is that of https://docs.moodle.org/en/GIFT_format.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from quizzes.formats import build, html, html_inline
from quizzes.formats.build import Built, BuiltOption, Names, Place
from quizzes.formats.reading import Finding, Imported, Reading

BLANK = "_____"
"""What stands in a stem for the word that is missing."""
_ESCAPED = {"n": "\n"}
_FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]")
_WEIGHT = re.compile(r"\s*%(-?\d+(?:\.\d+)?)%")
_TRUTH = {"T": True, "TRUE": True, "F": False, "FALSE": False}
_ID = re.compile(r"\[id:([^\]]*)\]")
_TAG = re.compile(r"\[tag:([^\]]*)\]")
# What Markdown would take for the beginning of a heading, a quotation, a list or a rule.
_BLOCK = re.compile(r"^([ \t]*)(#{1,6}(?=\s)|>|[-+](?=\s)|(?:-{3,}|={3,})\s*$|\d{1,9}(?=[.)]\s))", re.MULTILINE)
_TAGGED = re.compile(r"<(?:[a-zA-Z][^<>]*|/[a-zA-Z]+\s*)>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")


@dataclass(frozen=True)
class _Source:
    """A question as it stands in the file: before, within and after its braces; ``None`` where it has none."""

    offset: int
    before: str
    answers: str | None
    after: str
    answers_offset: int
    comments: tuple[str, ...]
    category: str
    fault: str = ""


def read(text: str) -> Reading:
    """Return the questions of a GIFT text."""
    reader = _Reader(text)
    reader.read()
    return Reading(tuple(reader.items), tuple(reader.findings), reader.count)


@dataclass
class _Reader:
    text: str
    items: list[Imported] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.starts = [0, *(found.end() for found in re.finditer(r"\n", self.text))]

    def read(self) -> None:
        for source in _sources(self.text):
            self.count += 1
            if self.count > build.MOST_QUESTIONS:
                sentence = f"The file has more than {build.MOST_QUESTIONS:,} questions; split it."
                self.items, self.count = [], 0
                self.findings = [Finding(*self.place(source.offset), "error", sentence)]
                return
            built = self._question(source)
            self.findings += built.findings
            if built.imported is not None:
                self.items.append(built.imported)

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def _question(self, source: _Source) -> Built:
        title, rest = _title(source.before)
        comments = "\n".join(source.comments)
        named = _ID.findall(comments)
        name = title or (named[0] if named else "")
        tags = tuple(one.strip() for one in _TAG.findall(comments))
        where = (self.count, *self.place(source.offset), self.names.of(name, self.count))
        place = Place(*where, name=name, category=source.category, tags=tags)
        raw = f"{source.before}{{{source.answers or ''}}}{source.after}"
        if source.fault:
            return build.refuse(place, source.fault, raw)
        if source.answers is None:
            sentence = "This has no answers in braces: a description, which is no question here."
            return build.refuse(place, sentence, source.before)
        return _Question(self, place, source, rest, raw).built()


@dataclass
class _Question:
    """One question that is being turned into an item."""

    reader: _Reader
    place: Place
    source: _Source
    stem_source: str
    raw: str
    losses: list[tuple[str, str]] = field(default_factory=list)

    def built(self) -> Built:
        body, general = _cut(self.source.answers or "", "####")
        self.format, stem = _formatted(self.stem_source)
        after = self.source.after.strip()
        if after:
            space = " " if after[0].isalnum() else ""
            stem = f"{stem.rstrip()} {BLANK}{space}{after}"
        self.stem = self.rendered(stem, block=True)
        self.more = {"explanation": self.rendered(general)} if general.strip() else {}
        if not self.stem.strip():
            return build.refuse(self.place, "The question has no stem; write it before the braces.", self.raw)
        built = self._by_answers(body)
        for sentence, raw in self.losses:
            built = build.lose(built, self.place, sentence, raw)
        return built

    def rendered(self, text: str, *, block: bool = False) -> str:
        """Return a text of the file as Markdown; what that loses is kept for the report."""
        if not text or text.isspace():
            return ""
        own, words = _formatted(text)
        plain = _unescape(words)
        chosen = own or self.format
        if chosen == "markdown":
            return plain if block else " ".join(plain.split())
        if chosen == "html" or (chosen != "plain" and _TAGGED.search(plain)):
            converted = html.to_markdown(plain, one_line=not block)
            if converted.losses:
                self.losses.append((f"Not kept of the text: {', '.join(converted.losses)}.", plain))
            return converted.text
        escaped = html_inline.escape(plain if block else " ".join(plain.split()))
        return _BLOCK.sub(r"\1\\\2", escaped) if block else escaped

    def _by_answers(self, body: str) -> Built:
        head, *reasons = _split(body, "#")
        truth = _TRUTH.get(head.strip())
        if truth is not None:
            return self._statement(truth, reasons)
        if body.lstrip().startswith("#"):
            return self._number(body.lstrip()[1:])
        answers = list(self._answers(body))
        if not answers:
            essay = "An essay has no key, so it cannot be marked here."
            sentence = "The braces hold no answer; each begins with = or ~." if body.strip() else essay
            return build.refuse(self.place, sentence, self.raw)
        return self._by_signs(answers)

    def _by_signs(self, answers: Sequence[_Answer]) -> Built:
        if all(one.right and one.partner is not None for one in answers):
            return self._pairs(answers)
        if all(one.right for one in answers):
            return self._words(answers)
        return self._choice(answers)

    def _answers(self, body: str) -> Iterator[_Answer]:
        """Yield the answers of a body, each with its mark, its weight, its text and its feedback."""
        base = self.source.answers_offset
        for mark, offset, text in _marked(body):
            if not mark:
                if text.strip():
                    self.losses.append(("This text stands before the first answer and is not kept.", text.strip()))
                continue
            weight, rest = _weight(text)
            words, reason = _cut(rest, "#")
            left, partner = _pair(words)
            line, column = self.reader.place(base + offset)
            yield _Answer(mark == "=", weight, words, reason, left, partner, line, column)

    def _statement(self, truth: bool, reasons: Sequence[str]) -> Built:
        wrong, right = [self.rendered(one) for one in (*reasons, "", "")[:2]]
        both = (right, wrong) if truth else (wrong, right)
        for extra in reasons[2:]:
            self.losses.append(("A third feedback is not kept.", extra.strip()))
        return build.true_false(self.place, self.stem, right=truth, reasons=both, **self.more)

    def _choice(self, answers: Sequence[_Answer]) -> Built:
        several = not any(one.right for one in answers)
        correct = [one.is_key(several=several) for one in answers]
        self._lose_weights(answers, correct)
        options = [
            BuiltOption(self.rendered(one.words), right, self.rendered(one.reason), one.line, one.column)
            for one, right in zip(answers, correct, strict=True)
        ]
        return build.choice(self.place, self.stem, options, **self.more)

    def _lose_weights(self, answers: Sequence[_Answer], correct: Sequence[bool]) -> None:
        """Name the weights that the marking here does not keep: a key earns all, each of n keys an equal share."""
        keys = sum(correct)
        share = Decimal(100) / keys if keys else Decimal(0)
        for one, right in zip(answers, correct, strict=True):
            expected = share if right else Decimal(0)
            if one.weight is not None and abs(one.weight - expected) >= 1:
                sentence = (
                    f"The weight {one.weight} % is not kept; this option counts as {'right' if right else 'wrong'}."
                )
                self.losses.append((sentence, one.words.strip()))

    def _words(self, answers: Sequence[_Answer]) -> Built:
        spellings, reasons = [], []
        for one in answers:
            words = _unescape(_formatted(one.words)[1]).strip()
            if one.weight is not None and one.weight < 100:
                self.losses.append((f"A spelling that earned {one.weight} % is not kept.", words))
            elif "*" in words:
                self.losses.append(("A spelling with a wildcard is not kept.", words))
            else:
                spellings.append(words)
                reasons.append(self.rendered(one.reason))
                continue
            if one.reason.strip():
                self.losses.append(("Its feedback is not kept.", one.reason.strip()))
        if not spellings:
            return build.refuse(self.place, "No spelling of the answer is left that earns everything.", self.raw)
        rationale = " ".join(dict.fromkeys(filter(None, reasons)))
        return build.short_text(self.place, self.stem, spellings, rationale=rationale, **self.more)

    def _pairs(self, answers: Sequence[_Answer]) -> Built:
        pairs = []
        for one in answers:
            left, partner = self.rendered(one.left), self.rendered(one.partner or "")
            pairs.append(BuiltOption(left, True, self.rendered(one.reason), one.line, one.column, partner))
        return build.matching(self.place, self.stem, pairs, **self.more)

    def _number(self, body: str) -> Built:
        """Return a numeric item: ``500``, ``500:5``, ``495..505``, or several of them with weights."""
        answers = list(self._answers(body)) if _marked_anywhere(body) else []
        if not answers:
            words, reason = _cut(body, "#")
            answers = [_Answer(True, None, words, reason, words, None, self.place.line, self.place.column)]
        whole = [one for one in answers if one.weight is None or one.weight >= 100]
        for one in answers:
            if not whole or one is not whole[0]:
                self.losses.append(("Another number that was accepted is not kept.", one.words.strip()))
        number = _number(whole[0].words) if whole else None
        if number is None:
            sentence = "The answer is no number; write {#500}, {#500:5} or {#495..505}."
            return build.refuse(self.place, sentence, self.raw)
        value, tolerance = number
        rationale = self.rendered(whole[0].reason)
        self.more["rationale"] = rationale
        return build.numeric(self.place, self.stem, value, tolerance=tolerance, **self.more)


@dataclass(frozen=True)
class _Answer:
    """An answer: whether it began with ``=``, its weight in percent, its words, feedback, and sides as a pair."""

    right: bool
    weight: Decimal | None
    words: str
    reason: str
    left: str
    partner: str | None
    line: int
    column: int

    def is_key(self, *, several: bool) -> bool:
        """Return whether it is right: by its weight where ``several`` may be, else by its sign."""
        if several:
            return self.weight is not None and self.weight > 0
        return self.right and (self.weight is None or self.weight > 0)


def _sources(text: str) -> Iterator[_Source]:
    """Yield the questions of a text; a brace that is never closed ends at the next empty line before a title."""
    offset, category, comments = 0, "", list[str]()
    length = len(text)
    while offset < length:
        end = text.find("\n", offset)
        end = length if end < 0 else end
        line = text[offset:end]
        stripped = line.strip()
        if not stripped:
            comments = []
        elif stripped.startswith("//"):
            comments.append(stripped[2:].strip())
        elif stripped.upper().startswith("$CATEGORY:"):
            category = stripped[len("$CATEGORY:") :].strip()
        else:
            source, offset = _scan(text, offset + len(line) - len(line.lstrip()), tuple(comments), category)
            comments = []
            yield source
            continue
        offset = end + 1


@dataclass
class _Scan:
    """The way through one question: where its braces are, what is wrong, and the lines that are comments."""

    opening: int = -1
    closing: int = -1
    fault: str = ""
    comments: list[tuple[int, int]] = field(default_factory=list)

    @property
    def inside(self) -> bool:
        """Whether the braces are open."""
        return self.opening >= 0 > self.closing

    def brace(self, character: str, offset: int) -> None:
        if character == "{" and self.opening >= 0:
            self.fault = self.fault or "A second { stands here, without a } before it or as a second group of braces."
        elif character == "{":
            self.opening = offset
        elif self.inside:
            self.closing = offset


_TOKEN = re.compile(r"\\.|[{}\n]", re.DOTALL)


def _scan(text: str, start: int, comments: tuple[str, ...], category: str) -> tuple[_Source, int]:
    """Return the question that begins at an offset, and where the text goes on after it."""
    scan, offset = _Scan(), start
    while found := _TOKEN.search(text, offset):
        offset = found.end()
        if found[0] in "{}":
            scan.brace(found[0], found.start())
        elif found[0] == "\n":
            after = _after_break(text, found.start())
            if after.comment:
                scan.comments.append((found.start(), after.offset))
                offset = after.offset
            elif after.ends(inside=scan.inside):
                offset = found.start()
                break
    else:
        offset = len(text)
    return _source(text, (start, offset), scan, (comments, category)), offset


def _source(text: str, span: tuple[int, int], scan: _Scan, known: tuple[tuple[str, ...], str]) -> _Source:
    (start, end), (comments, category) = span, known
    if scan.opening < 0:
        return _Source(start, _without(text, start, end, scan.comments), None, "", start, comments, category)
    fault = "The closing } is missing." if scan.inside else scan.fault
    closing = end if scan.inside else scan.closing
    before = _without(text, start, scan.opening, scan.comments)
    answers = _without(text, scan.opening + 1, closing, scan.comments)
    tail = _without(text, min(closing + 1, end), end, scan.comments)
    return _Source(start, before, answers, tail, scan.opening + 1, comments, category, fault)


@dataclass(frozen=True)
class _Break:
    """What follows the end of a line."""

    offset: int
    blank: bool
    title: bool
    comment: bool

    def ends(self, *, inside: bool) -> bool:
        """Return whether a question ends here; within braces an empty line may stand, unless a title follows."""
        return self.title if inside else self.blank or self.title


_BREAK = re.compile(r"\n(?P<blank>(?:[ \t]*\n)*)[ \t]*(?P<next>::|//)?")


def _after_break(text: str, offset: int) -> _Break:
    found = _BREAK.match(text, offset)
    assert found is not None  # noqa: S101 (a line ends here)
    if found["next"] == "//" and not found["blank"]:
        end = text.find("\n", found.end())
        return _Break(len(text) if end < 0 else end, blank=False, title=False, comment=True)
    blank = bool(found["blank"]) or found.end() == len(text)
    return _Break(found.end(), blank=blank, title=found["next"] == "::", comment=False)


def _without(text: str, start: int, end: int, comments: Sequence[tuple[int, int]]) -> str:
    """Return a part of the text without the lines of comments in it."""
    parts, offset = [], start
    for first, last in comments:
        if start <= first and last <= end:
            parts.append(text[offset:first])
            offset = last
    return "".join([*parts, text[offset:end]])


def _title(text: str) -> tuple[str, str]:
    """Return the title between ``::`` and ``::``, and what follows it."""
    if not text.startswith("::"):
        return "", text
    title, rest = _cut(text[2:], "::")
    return (_unescape(title).strip(), rest) if rest or text[2:].endswith("::") else ("", text)


def _formatted(text: str) -> tuple[str, str]:
    """Return the format that a text names, and the text without the name."""
    found = _FORMAT.match(text) if "[" in text[:20] else None
    return (found[1], text[found.end() :]) if found else ("", text)


def _cut(text: str, mark: str) -> tuple[str, str]:
    """Return what stands before and after the first ``mark`` that no backslash precedes."""
    offset = _find(text, mark, 0)
    return (text, "") if offset < 0 else (text[:offset], text[offset + len(mark) :])


def _split(text: str, mark: str) -> list[str]:
    parts, start = [], 0
    while (offset := _find(text, mark, start)) >= 0:
        parts.append(text[start:offset])
        start = offset + len(mark)
    return [*parts, text[start:]]


def _find(text: str, mark: str, start: int) -> int:
    offset = text.find(mark, start)
    while offset >= 0 and _is_escaped(text, offset, start):
        offset = text.find(mark, offset + 1)
    return offset


def _is_escaped(text: str, offset: int, start: int) -> bool:
    count = 0
    while offset - count > start and text[offset - count - 1] == "\\":
        count += 1
    return count % 2 == 1


_MARK = re.compile(r"\\.|[=~]", re.DOTALL)


def _marked(body: str) -> Iterator[tuple[str, int, str]]:
    """Yield (mark, offset, text) of the answers of a body; the text before the first has no mark."""
    marks = [found for found in _MARK.finditer(body) if found[0] in "=~"]
    yield "", 0, body[: marks[0].start()] if marks else body
    ends = [*(one.start() for one in marks[1:]), len(body)]
    for found, following in zip(marks, ends, strict=False):
        yield found[0], found.start(), body[found.end() : following]


def _marked_anywhere(body: str) -> bool:
    return any(found[0] in "=~" for found in _MARK.finditer(body))


def _weight(text: str) -> tuple[Decimal | None, str]:
    found = _WEIGHT.match(text)
    return (Decimal(found[1]), text[found.end() :]) if found else (None, text)


def _pair(words: str) -> tuple[str, str | None]:
    left, arrow, right = words.partition("->")
    return (left, right) if arrow else (words, None)


def _number(words: str) -> tuple[str, str] | None:
    """Return the number and its tolerance, each as plain digits; None where there is none."""
    text = _unescape(words).strip()
    try:
        if ".." in text:
            low, high = (Decimal(one.strip()) for one in text.split("..", 1))
            value, tolerance = (low + high) / 2, abs(high - low) / 2
        else:
            number, _, allowed = text.partition(":")
            value, tolerance = Decimal(number.strip()), abs(Decimal(allowed.strip() or 0))
    except InvalidOperation:
        return None
    if not value.is_finite() or not tolerance.is_finite() or max(abs(value.adjusted()), abs(tolerance.adjusted())) > 30:
        return None
    return f"{value:f}", f"{tolerance:f}" if tolerance else ""


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda one: _ESCAPED.get(one[1], one[1]), text, flags=re.DOTALL) if "\\" in text else text
