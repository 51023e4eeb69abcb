"""Banks as people read them on a forge: a heading an item, then a list of options, each with a quoted rationale.

The form is told in ``docs/instructors/writing-questions.md``. The scanner goes once over the lines, so its time
grows with the text's length and never faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from content.errors import ContentError
from quizzes.answers import pairs
from quizzes.formats.drafts import Draft, ItemError, Line, finish
from quizzes.questions import POOLS, Bank, Item, Key, Question

_LINES = {
    "choice": re.compile(r"- \[(?P<mark>[ xX])\] ?(?P<text>.*)$"),
    "ordering": re.compile(r"\d+\. (?P<text>.*)$"),
    "matching": re.compile(r"- (?P<text>.*?) ?→ (?P<target>.*)$"),
    "numeric": re.compile(r"\*\*Answer\*\* (?P<text>.*)$"),
    "text": re.compile(r"\*\*Answer\*\* (?P<text>.*)$"),
}
_HELP = {
    "choice": "An option begins with “- [ ] ” or, if it is right, “- [x] ”.",
    "matching": "A pair reads “- this → that”; a partner that nothing is matched with reads “- → that”.",
}
_FIELDS = ("Task", "Difficulty", "Lesson", "Kind", "Order", "Set", "Case", "Tags")
"""The fields in the order in which they are written; the kind of a choice need not be said."""
_FIELD_LINE = re.compile(rf"\*\*(?:{'|'.join(_FIELDS)})\*\* ")
_CLAIM = re.compile(r"> \*\*Finding\*\* `([^`]+)`$")
_CASE = re.compile(r"Case ([a-z0-9]+(?:-[a-z0-9]+)*)$")


def read(text: str, path: Path, *, complete: bool = True) -> tuple[Bank, tuple[ContentError, ...]]:
    """Parse a bank; faulty items are left out of it and every fault is returned with its line and column.

    Where it need not be ``complete``, items may lack their task, difficulty, lesson and rationales.
    """
    return _Reader(text, path, complete).read()


def read_item(
    text: str, course: str, cases: Mapping[str, str], path: Path, *, complete: bool = False
) -> tuple[Item | None, tuple[ItemError, ...]]:
    """Parse the text of one item, from its heading on; None where it has faults, each with line and column.

    ``cases`` are the texts of the cases that it may name.
    """
    return _Reader(text, path, complete).read_item(course, cases)


def read_draft(text: str, path: Path) -> Draft | None:
    """Return one item as it is being written, sound or not; None where a line of it belongs to nothing."""
    reader = _Reader(text, path, complete=False)
    drafts = list(reader.drafts())
    return drafts[0] if len(drafts) == 1 and not reader.findings and not reader.cases else None


def read_head(text: str, path: Path) -> tuple[dict[str, str], int, tuple[ContentError, ...]]:
    """Return a bank's front matter, how many lines it takes, and its faults."""
    reader = _Reader(text, path)
    fields, lines = reader.head()
    return fields, lines, tuple(reader.findings)


def write_head(title: str, course: str, pool: str) -> str:
    """Return the front matter of a bank."""
    return f"---\ntitle: {title}\ncourse: {course}\npool: {pool}\n---\n"


def is_case(heading: str) -> bool:
    """Return whether a heading begins the text of a case, and no item."""
    return _CASE.match(heading) is not None


def read_cases(text: str) -> dict[str, str]:
    """Return the cases of a bank by name, out of Markdown that has nothing else."""
    reader = _Reader(text, Path())
    list(reader.drafts())
    return reader.texts_of_cases()


@dataclass
class _Reader:
    """Reads one bank and keeps the findings."""

    text: str
    path: Path
    complete: bool = True
    findings: list[ItemError] = field(default_factory=list)
    cases: dict[str, list[str]] = field(default_factory=dict)

    def read(self) -> tuple[Bank, tuple[ContentError, ...]]:
        lines = self._lines()
        fields, body_start = self._front_matter(lines)
        drafts = list(self._drafts(lines, body_start))
        cases = self.texts_of_cases()
        items = []
        seen: dict[str, int] = {}
        for draft in drafts:
            item = finish(draft, fields["course"], cases, self._find)
            if draft.id in seen:
                self._find(draft.line, 4, f"The id “{draft.id}” is taken by the item at line {seen[draft.id]}.")
            elif item is not None:
                items.append(replace(item, path=self.path))
            seen.setdefault(draft.id, draft.line)
        bank = Bank(self.path.stem, fields["title"], fields["course"], fields["pool"], tuple(items))
        return bank, tuple(self.findings)

    def read_item(self, course: str, cases: Mapping[str, str]) -> tuple[Item | None, tuple[ItemError, ...]]:
        drafts = list(self.drafts())
        for extra in drafts[1:]:
            self._find(extra.line, 1, "A second item begins here; write it as an item of its own.")
        if not drafts:
            self._find(1, 1, "The item has no heading; begin it with “## its-id”.")
        item = finish(drafts[0], course, cases, self._find) if drafts else None
        return None if self.findings else item, tuple(self.findings)

    def head(self) -> tuple[dict[str, str], int]:
        return self._front_matter(self._lines())

    def drafts(self) -> Iterator[Draft]:
        return self._drafts(self._lines(), 0)

    def texts_of_cases(self) -> dict[str, str]:
        return {name: "\n".join(text).strip() for name, text in self.cases.items()}

    def _lines(self) -> list[str]:
        return self.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")

    def _find(self, line: int, column: int, sentence: str, field: str = "", on_form: str = "") -> None:
        self.findings.append(ItemError(self.path, line, column, sentence, field, on_form))

    def _front_matter(self, lines: list[str]) -> tuple[dict[str, str], int]:
        fields = {"title": self.path.stem, "course": "", "pool": "exam"}
        end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if lines[0].rstrip() != "---" or end is None:
            self._find(1, 1, "The bank must begin with front matter: a line of three hyphens, fields, the same line.")
            return fields, 0
        given = set()
        for number, line in enumerate(lines[1:end], 2):
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or name not in fields:
                self._find(number, 1, f"“{name}” is no field of a bank; use {', '.join(fields)}.")
            elif name in given:
                self._find(number, 1, f"“{name}” is given twice.")
            else:
                fields[name] = value.strip().strip('"')
                given.add(name)
        for name in sorted(set(fields) - given - {"pool"}):
            self._find(1, 1, f"The front matter lacks “{name}”.")
        if fields["pool"] not in POOLS:
            self._find(1, 1, f"“pool” must be one of {', '.join(POOLS)}, not “{fields['pool']}”.")
        return fields, end + 1

    def _drafts(self, lines: list[str], start: int) -> Iterator[Draft]:
        draft: Draft | None = None
        case: list[str] | None = None
        for number, line in enumerate(lines[start:], start + 1):
            if line.startswith("## "):
                if draft:
                    yield draft
                draft, case = self._begin(line[3:].strip(), number)
            elif draft is not None:
                self._take(draft, number, line)
            elif case is not None:
                case.append(line)
            elif line.strip():
                self._find(number, 1, "Text before the first item belongs to none; start the item with “## its-id”.")
        if draft:
            yield draft

    def _begin(self, heading: str, number: int) -> tuple[Draft | None, list[str] | None]:
        """Return what a heading begins: an item, or the text of a case."""
        found = _CASE.match(heading)
        if found is None:
            return Draft(heading, number, self.complete), None
        if found[1] in self.cases:
            self._find(number, 4, f"The case “{found[1]}” stands twice in this bank.")
        self.cases[found[1]] = []
        return None, self.cases[found[1]]

    def _take(self, draft: Draft, number: int, line: str) -> None:
        pattern = _LINES.get(draft.kind)
        found = pattern.match(line) if pattern and not draft.ended else None
        if found:
            parts = found.groupdict()
            target = parts.get("target", "").strip()
            draft.lines.append(Line(number, [parts["text"]], parts.get("mark", "x") != " ", target))
        elif line.startswith("- ") and draft.lines and draft.kind in _HELP:
            self._find(number, 1, _HELP[draft.kind])
        elif draft.lines and not draft.ended and line.startswith(("  ", ">")):
            self._take_under_option(draft.lines[-1], number, line.strip())
        elif line.startswith("**Today**") or (draft.today and not line.startswith("**Why**")):
            draft.today.append(line.removeprefix("**Today**").strip())
        elif line.startswith("**Why**") or draft.explanation:
            draft.explanation.append(line.removeprefix("**Why**").strip())
        elif draft.lines and (line.startswith("**Proof**") or (draft.proof and line.strip())):
            draft.proof_line = draft.proof_line or number
            draft.proof.append(line.removeprefix("**Proof**").strip())
        elif _FIELD_LINE.match(line) and not any(draft.stem):
            self._take_fields(draft, number, line)
        elif draft.lines and line.strip():
            words = "**Proof**, **Why** or **Today**"
            sentence = f"This text stands under no option; indent it by two spaces, or begin it with {words}."
            self._find(number, 1, sentence)
        elif not draft.lines:
            draft.stem_line = draft.stem_line or (number if line.strip() else 0)
            draft.stem.append(line)

    def _take_under_option(self, option: Line, number: int, text: str) -> None:
        if text.startswith("> **Finding**"):
            claim = _CLAIM.match(text)
            option.claim, option.claim_line = (claim[1] if claim else ""), number
            if claim is None:
                self._find(number, 1, "A finding stands by itself, as in “> **Finding** `rejected == 2500`”.")
        elif text.startswith(">"):
            option.rationale.append(text[1:].strip())
        elif text:
            option.text.append(text)

    def _take_fields(self, draft: Draft, number: int, line: str) -> None:
        for part in line.split(" · "):
            match = re.fullmatch(r"\*\*(\w+)\*\* (.+)", part.strip())
            column = line.find(part) + 1
            if match is None or match[1] not in _FIELDS:
                self._find(
                    number,
                    column,
                    "This line reads “**Task** 1.1 · **Difficulty** medium · **Lesson** [title](file.md#section)”.",
                )
            else:
                draft.fields[match[1]] = (match[2], number, column)


def write(bank: Bank) -> str:
    """Return the text of a bank; reading it gives the same items again."""
    parts, cases = [write_head(bank.title, bank.course, bank.pool)], set()
    for item in bank.items:
        question = item.question
        if question.case and question.case not in cases:
            cases.add(question.case)
            parts.append(f"\n## Case {question.case}\n\n{question.stimulus}\n")
        parts.append(f"\n{write_item(item)}")
    return "".join(parts)


def write_item(item: Item) -> str:
    """Return the text of one item, from its heading on, without what it lacks."""
    question, key = item.question, item.key
    title = Path(question.lesson.partition("#")[0]).stem
    fields = {
        "Task": question.task,
        "Difficulty": question.difficulty,
        "Lesson": f"[{title}]({question.lesson})" if question.lesson else "",
        "Kind": question.kind,
        "Order": "fixed" if question.fixed else "",
        "Set": question.enemies,
        "Case": question.case,
        "Tags": ", ".join(question.tags),
    }
    runs = " ·\n".join(f"{name} `{text}`".strip() for name, text in key.experiments)
    draft = Draft(
        question.id,
        0,
        fields={name: (value, 0, 0) for name, value in fields.items()},
        stem=[question.stem],
        lines=_lines_of(question, key),
        proof=[runs],
        today=[key.today],
        explanation=[key.explanation],
    )
    return write_draft(draft)


def write_draft(draft: Draft) -> str:
    """Return the text of an item as it is being written, which need not be sound; reading it gives the same draft."""
    given = [(name, draft.fields.get(name, ("", 0, 0))[0]) for name in _FIELDS]
    fields = " · ".join(f"**{name}** {value}" for name, value in given if value and (name, value) != ("Kind", "choice"))
    lines = [f"## {draft.id}", "", *([fields, ""] if fields else []), "\n".join(draft.stem).strip(), ""]
    for number, line in enumerate(draft.lines, 1):
        lines += _write_line(draft.kind, number, line)
    for name, words in (("Proof", "\n".join(draft.proof)), ("Why", draft.explanation), ("Today", draft.today)):
        text = (words if isinstance(words, str) else " ".join(words)).strip()
        lines += ["", f"**{name}** {text}"] if text else []
    return "\n".join(lines) + "\n"


def _lines_of(question: Question, key: Key) -> list[Line]:
    """Return an item's options, steps or pairs, or its one answer, as they are written."""
    texts, claims = {option.letter: option.text for option in question.options}, dict(key.claims)

    def line(letter: str, text: str, target: str = "", *, correct: bool = True) -> Line:
        reason = key.rationale(letter)
        return Line(0, [text], correct, target, [reason] if reason else [], claims.get(letter, ""))

    if question.kind == "numeric":
        tolerance = f" ± {key.tolerance}" if key.tolerance else ""
        unit = f" {question.unit}" if question.unit else ""
        return [line("", f"{key.answer}{tolerance}{unit}")]
    if question.kind == "text":
        return [line("", " or ".join(f"“{one}”" for one in sorted(key.correct)))]
    if question.kind == "ordering":
        return [line(one, texts[one]) for one in key.answer]
    if question.kind == "matching":
        targets, right = {one.letter: one.text for one in question.targets}, pairs(key.answer)
        matched = [line(one.letter, one.text, targets[right[one.letter]]) for one in question.options]
        return matched + [Line(0, [], True, text) for one, text in targets.items() if one not in right.values()]
    return [line(one.letter, one.text, correct=one.letter in key.correct) for one in question.options]


def _write_line(kind: str, number: int, line: Line) -> list[str]:
    """Return an option with its rationale, and the finding that it claims."""
    pair = f"- {line.words} → {line.target}" if line.words else f"- → {line.target}"
    start, indent = {
        "choice": (f"- [{'x' if line.correct else ' '}] {line.words}", "  "),
        "ordering": (f"{number}. {line.words}", "   "),
        "matching": (pair, "  "),
    }.get(kind, (f"**Answer** {line.words}", ""))
    reason = " ".join(line.rationale).strip()
    lines = [start, f"{indent}> {reason}"] if reason else [start]
    return [*lines, f"{indent}> **Finding** `{line.claim}`"] if line.claim else lines
