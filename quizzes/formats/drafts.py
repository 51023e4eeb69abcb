"""An item as it is being read, and what it must have to become an Item; every fault is found at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from content.errors import ContentError
from quizzes import predicates
from quizzes.answers import number
from quizzes.predicates import PredicateError
from quizzes.questions import DIFFICULTIES, KINDS, MAXIMUM_ANSWER, Item, Key, Option, Question

LETTERS = "abcdefgh"
NUMERALS = "123456789"
MAXIMUM_ITEM_CHARACTERS = 20_000
PROVABLE = ("choice", "numeric")
"""The kinds of items whose options, or whose number, an experiment can settle."""

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)$")
_NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NUMBER = re.compile(r"(?P<value>[+\-−]?[\d.,]+)(?: ± (?P<tolerance>[\d.,]+)(?P<percent> ?%)?)?(?: (?P<unit>\D.*))?$")
_RUNS = re.compile(r"(?:([a-z][a-z0-9_]*) )?`([^`]+)`")
_PROOF = re.compile(rf"{_RUNS.pattern}(?: · {_RUNS.pattern})*")
_SPELLING = re.compile(r"“([^”]+)”")
_WORDS = {1: "one", 2: "two", 3: "three"}
_NO_REASON = "This option has no rationale; say under it, after “  > ”, why it is right or wrong."


@dataclass(frozen=True)
class ItemError(ContentError):
    """A fault of an item; ``on_form`` is its sentence where the item is a form, unless it is the same.

    ``field`` is what a form calls its place. What an answer has several of is counted from 1, as in ``option-2``,
    ``right-2``, ``partner-2``, ``reason-2`` and ``claim-2``.
    """

    field: str = ""
    on_form: str = ""


class Find(Protocol):
    """Keeps a fault: its line, its column, a sentence that says what to do, and the last two of ItemError."""

    def __call__(self, line: int, column: int, sentence: str, field: str, on_form: str = "", /) -> None:
        """Keep it."""


@dataclass
class Line:
    """An option, a step, a pair, or the one answer of a number or a text."""

    line: int
    text: list[str]
    correct: bool = True
    target: str = ""
    rationale: list[str] = field(default_factory=list)
    claim: str = ""
    claim_line: int = 0

    @property
    def words(self) -> str:
        """The text as one line."""
        # Nearly every option has one line, and each is asked for its words several times.
        return (self.text[0] if len(self.text) == 1 else " ".join(self.text)).strip()


@dataclass
class Draft:
    """An item as it is being read: fields as (value, line, column), and lines of text."""

    id: str
    line: int
    complete: bool = True
    """Whether it must have its task, difficulty, lesson and rationales; one that is being written need not."""
    fields: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    stem: list[str] = field(default_factory=list)
    stem_line: int = 0
    lines: list[Line] = field(default_factory=list)
    proof: list[str] = field(default_factory=list)
    proof_line: int = 0
    today: list[str] = field(default_factory=list)
    explanation: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether what follows the options has begun."""
        return bool(self.proof or self.today or self.explanation)

    @property
    def kind(self) -> str:
        """How the item is answered, as its fields say."""
        return self.fields.get("Kind", ("choice", 0, 0))[0]


def finish(draft: Draft, course: str, cases: Mapping[str, str], find: Find) -> Item | None:
    """Return the item of a draft, or None where it has faults; each is given to ``find``."""
    faults: list[str] = []

    def note(line: int, column: int, sentence: str, field: str, on_form: str = "") -> None:
        faults.append(sentence)
        find(line, column, sentence, field, on_form)

    question = _question(draft, course, cases, note)
    if faults:
        return None
    question, key = _KINDS[question.kind](draft, question, note)
    if not faults:
        key = _proven(draft, question, key, note)
    if faults:
        return None
    today, explanation = (" ".join(lines).strip() for lines in (draft.today, draft.explanation))
    if today or explanation:
        key = replace(key, today=today, explanation=explanation)
    return Item(question, key, line=draft.line)


def _proven(draft: Draft, question: Question, key: Key, find: Find) -> Key:
    """Return the key with what proves it, if anything does."""
    claimed = [(place, line) for place, line in enumerate(draft.lines, 1) if line.claim]
    if not draft.proof:
        sentence = "This finding is of no run; name one under the options, after “**Proof**”."
        for place, line in claimed:
            find(line.claim_line, 1, sentence, f"claim-{place}", "This is of no run; name the run that finds it.")
        return key
    runs = _runs(draft, find)
    if question.kind not in PROVABLE:
        sentence = f"Only {' and '.join(PROVABLE)} items can be proven; take this line out."
        find(draft.proof_line, 1, sentence, "proof", "Only options and numbers can be proven; empty this field.")
        return key
    letters = [option.letter for option in question.options] or [""]
    for place, line in enumerate(draft.lines, 1):
        if not line.claim:
            sentence = "This option claims nothing of the runs; write “> **Finding** `rejected == 5`” under it."
            find(line.line, 1, sentence, f"claim-{place}", "Say what the runs find, as in rejected == 5.")
        else:
            _check_claim(line, f"claim-{place}", runs, find)
    named = {run for _place, line in claimed for run, _finding in _findings(line)}
    for name in runs:
        if claimed and name not in named:
            find(draft.proof_line, 1, f"No option names a finding of the run{f' “{name}”' if name else ''}.", "proof")
    claims = tuple((letter, line.claim) for letter, line in zip(letters, draft.lines, strict=True))
    return replace(key, experiments=tuple(runs.items()), claims=claims)


def _runs(draft: Draft, find: Find) -> dict[str, str]:
    """Return the experiments of the line **Proof** by their names; with more than one, each needs its own."""
    parts = _RUNS.findall(" ".join(draft.proof))
    runs = {name: text.strip() for name, text in parts}
    if not _PROOF.fullmatch(" ".join(draft.proof)) or len(runs) < len(parts) or ("" in runs and len(runs) > 1):
        sentence = "This line reads “**Proof** `lab name=value seed=1`”, or “first `…` · second `…`” for several runs."
        on_form = "Write a run as `lab name=value seed=1`; several as first `…` · second `…`."
        find(draft.proof_line, 1, sentence, "proof", on_form)
    if not runs:
        return runs
    from labs import experiments  # noqa: PLC0415 (few files have proofs, and a reader's process must start quickly)

    for text in runs.values():
        try:
            experiments.parse(text)
        except experiments.ExperimentError as error:
            find(draft.proof_line, 1, str(error), "proof")
    return runs


def _check_claim(line: Line, field: str, runs: Mapping[str, str], find: Find) -> None:
    try:
        predicates.parse(line.claim)
    except PredicateError as error:
        find(line.claim_line, 1, str(error), field)
    for run, finding in _findings(line):
        if run not in runs:
            named = f"{run}.{finding}" if run else finding
            known = " or ".join(f"{one}.{finding}" if one else finding for one in runs)
            find(line.claim_line, 1, f"“{named}” is of no run of this item; write {known}.", field)


def _findings(line: Line) -> list[tuple[str, str]]:
    try:
        return list(predicates.parse(line.claim).findings())
    except PredicateError:
        return []


def _question(draft: Draft, course: str, cases: Mapping[str, str], find: Find) -> Question:
    """Return what every kind of item has, without its options."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", draft.id):
        find(draft.line, 4, f"An id is lower-case words joined by hyphens, as in saa-1-001, not “{draft.id}”.", "id")
    stem = "\n".join(draft.stem).strip()
    if not stem:
        sentence = "The item has no stem; write the question above its options."
        find(draft.line, 1, sentence, "stem", "Ask the question here.")
    elif len(stem) > MAXIMUM_ITEM_CHARACTERS:
        find(draft.stem_line, 1, f"The stem is longer than {MAXIMUM_ITEM_CHARACTERS} characters.", "stem")
    name, line, column = draft.fields.get("Case", ("", 0, 0))
    if name and name not in cases:
        sentence = f"There is no case “{name}” in this bank; begin one with “## Case {name}”."
        find(line, column, sentence, "case", f"This bank has no case “{name}”; choose one that it has, or none.")

    def needed(name: str, pattern: str, wanted: str) -> str:
        value, line, column = draft.fields.get(name, ("", draft.line, 1))
        field = {"Set": "enemies", "Order": "fixed"}.get(name, name.lower())
        if not value:
            if draft.complete:
                find(line, column, f"The item lacks **{name}**, {wanted}.", field)
        elif not re.fullmatch(pattern, value):
            sentence = f"**{name}** must be {wanted}, not “{value}”."
            find(line, column, sentence, field, f"This must be {wanted}, not “{value}”.")
        return value

    def optional(name: str, pattern: str, wanted: str) -> str:
        return needed(name, pattern, wanted) if name in draft.fields else ""

    tags = optional("Tags", f"{_NAME}(, {_NAME})*", "names such as sqs, dead-letter-queue")
    return Question(
        id=draft.id,
        course=course,
        task=needed("Task", r"[1-9]\.[1-9]", "a task code such as 1.2"),
        difficulty=needed("Difficulty", "|".join(DIFFICULTIES), f"one of {', '.join(DIFFICULTIES)}"),
        lesson=_lesson(draft, find),
        stem=stem,
        options=(),
        choose=1,
        enemies=optional("Set", _NAME, "a name such as multi-az"),
        kind=optional("Kind", "|".join(KINDS), f"one of {', '.join(KINDS)}") or "choice",
        fixed=bool(optional("Order", "fixed", "the word fixed, or be left out")),
        case=name,
        stimulus=cases.get(name, ""),
        tags=tuple(tags.split(", ")) if tags else (),
    )


def _lesson(draft: Draft, find: Find) -> str:
    value, line, column = draft.fields.get("Lesson", ("", draft.line, 1))
    match = _LINK.match(value)
    if match is None:
        if not value and not draft.complete:
            return ""
        sentence = "The item lacks **Lesson**, a link to the section of a lesson that teaches it."
        find(line, column, sentence, "lesson", "This is no link to the section of a lesson; choose one.")
        return ""
    return match[2]


def _choice(draft: Draft, question: Question, find: Find) -> tuple[Question, Key]:
    keys = sum(line.correct for line in draft.lines)
    stem = question.stem.lower()
    if keys > 1 and f"choose {_WORDS.get(keys, keys)}" not in stem:
        sentence = f"{keys} options are right, so the stem must say “Choose {_WORDS.get(keys, keys)}.”."
        find(draft.stem_line, 1, sentence, "stem", sentence.replace("the stem", "the question"))
    elif keys == 1 and re.search(r"\bchoose (two|three)\b", stem):
        sentence = "The stem asks for more than one option, but one is marked [x]."
        find(draft.stem_line, 1, sentence, "stem", "The question asks for more than one option, but one is ticked.")
    if not 2 <= len(draft.lines) <= len(LETTERS):
        find(draft.line, 1, f"An item has 2 to {len(LETTERS)} options, this one {len(draft.lines)}.", "option-1")
    elif not keys:
        sentence = "No option is right; mark the key with “- [x]”."
        find(draft.line, 1, sentence, "right-1", "No option is right; tick the key.")
    elif keys == len(draft.lines):
        find(draft.line, 1, "Every option is right; at least one must be a distractor.", "right-1")
    _check_texts(draft, find)
    options = _options(draft.lines)
    correct = frozenset(one.letter for one, line in zip(options, draft.lines, strict=False) if line.correct)
    return replace(question, options=options, choose=keys), Key(correct, _reasons(draft, options, find))


def _ordering(draft: Draft, question: Question, find: Find) -> tuple[Question, Key]:
    if not 3 <= len(draft.lines) <= len(LETTERS):
        find(draft.line, 1, f"An ordering has 3 to {len(LETTERS)} steps, this one {len(draft.lines)}.", "option-1")
    _check_texts(draft, find)
    # Letters follow the alphabet of the texts, so that they tell nothing of the right order.
    letters = dict(zip(sorted({line.words for line in draft.lines}), LETTERS, strict=False))
    steps = [Option(letters.get(line.words, ""), line.words) for line in draft.lines]
    key = Key(frozenset({"".join(one.letter for one in steps)}), _reasons(draft, steps, find))
    options = tuple(sorted(steps, key=lambda one: one.letter))
    return replace(question, options=options, choose=len(options)), key


def _matching(draft: Draft, question: Question, find: Find) -> tuple[Question, Key]:
    pairs = [line for line in draft.lines if line.words]
    if not 2 <= len(pairs) <= len(LETTERS):
        find(draft.line, 1, f"A matching has 2 to {len(LETTERS)} pairs, this one {len(pairs)}.", "option-1")
    _check_texts(draft, find)
    for place, line in enumerate(draft.lines, 1):
        if not line.target:
            sentence = "This line is matched with nothing; write its partner after “→”."
            find(line.line, 1, sentence, f"partner-{place}", "This is matched with nothing; write its partner.")
    # Numerals follow the alphabet of the partners, for the same reason.
    numerals = dict(zip(sorted({line.target for line in draft.lines}), NUMERALS, strict=False))
    if len({line.target for line in draft.lines}) > len(NUMERALS):
        find(draft.line, 1, f"A matching has at most {len(NUMERALS)} partners to choose from.", "partner-1")
    options = _options(pairs)
    right = "".join(one.letter + numerals.get(line.target, "") for one, line in zip(options, pairs, strict=False))
    targets = tuple(Option(numeral, text) for text, numeral in numerals.items())
    key = Key(frozenset({right}), _reasons(draft, options, find))
    return replace(question, options=options, targets=targets, choose=len(options)), key


def _numeric(draft: Draft, question: Question, find: Find) -> tuple[Question, Key]:
    found = _NUMBER.match(draft.lines[0].words) if draft.lines else None
    value, tolerance = (number(found[name] or "0") for name in ("value", "tolerance")) if found else (None, None)
    if found is None or value is None or tolerance is None:
        sentence = "The item lacks its number; write “**Answer** 500 ± 5 invocations” under the stem."
        find(draft.line, 1, sentence, "answer", "Write the number, as in 500 ± 5 invocations.")
        return question, Key(frozenset(), ())
    reasons = _reasons(draft, [Option("", "")], find)
    allowed = _plain(tolerance) + (" %" if found["percent"] else "")
    key = Key(frozenset({_plain(value)}), reasons, tolerance=allowed if tolerance else "")
    return replace(question, unit=found["unit"] or ""), key


def _text(draft: Draft, question: Question, find: Find) -> tuple[Question, Key]:
    spellings = frozenset(_SPELLING.findall(draft.lines[0].words)) if draft.lines else frozenset()
    if not spellings:
        sentence = "The item lacks its text; write “**Answer** “a spelling” or “another one”” under the stem."
        find(draft.line, 1, sentence, "answer", "Write a spelling that is right.")
    elif max(map(len, spellings)) > MAXIMUM_ANSWER:
        find(draft.lines[0].line, 1, f"An answer has at most {MAXIMUM_ANSWER} characters.", "answer")
    return question, Key(spellings, _reasons(draft, [Option("", "")], find))


_KINDS: dict[str, Callable[[Draft, Question, Find], tuple[Question, Key]]] = {
    "choice": _choice,
    "ordering": _ordering,
    "matching": _matching,
    "numeric": _numeric,
    "text": _text,
}


def _options(lines: Iterable[Line]) -> tuple[Option, ...]:
    return tuple(Option(letter, line.words) for letter, line in zip(LETTERS, lines, strict=False))


def _reasons(draft: Draft, options: Sequence[Option], find: Find) -> tuple[tuple[str, str], ...]:
    lines = [line for line in draft.lines if line.words]
    for place, line in enumerate(draft.lines, 1):
        if draft.complete and line.words and not any(line.rationale):
            find(line.line, 1, _NO_REASON, f"reason-{place}")
    pairs = zip(options, lines, strict=False)
    return tuple((one.letter, " ".join(line.rationale)) for one, line in pairs if any(line.rationale))


def _check_texts(draft: Draft, find: Find) -> None:
    # A partner that nothing is matched with has no text of its own.
    lines = [(place, line) for place, line in enumerate(draft.lines, 1) if line.words or draft.kind != "matching"]
    if len(lines) > len(LETTERS):
        # That there are too many is said; a file of nothing but options would get a finding for each.
        return
    seen: dict[str, int] = {}
    for place, line in lines:
        text = " ".join(line.words.split()).casefold()
        if not text:
            find(line.line, 1, "This option is empty.", f"option-{place}")
        elif text in seen:
            sentence = f"This option is the same as the one at line {seen[text]}."
            find(line.line, 7, sentence, f"option-{place}", "This is the same as one above.")
        seen.setdefault(text, line.line)


def _plain(value: Decimal) -> str:
    """Write a number without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
