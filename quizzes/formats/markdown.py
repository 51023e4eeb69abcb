"""Banks as people read them on a forge: a heading an item, a task list of options, a quoted rationale under each.

The form is told in ``docs/instructors/writing-questions.md``. The scanner goes once over the lines, so its time
grows with the text's length and never faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from content.faults import ContentError
from quizzes.questions import DIFFICULTIES, POOLS, Bank, Item, Key, Option, Question

_OPTION = re.compile(r"- \[([ xX])\] ?(.*)$")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)$")
_WORDS = {1: "one", 2: "two", 3: "three"}
_FIELDS = ("Task", "Difficulty", "Lesson", "Set")
LETTERS = "abcdefgh"
MAXIMUM_ITEM_CHARACTERS = 20_000


def read(text: str, path: Path) -> tuple[Bank, tuple[ContentError, ...]]:
    """Parse a bank; faulty items are left out of it and every fault is returned with its line and column."""
    return _Reader(text, path).read()


@dataclass
class _Option:
    """An option as it is being read."""

    correct: bool
    line: int
    text: list[str]
    rationale: list[str] = field(default_factory=list)


@dataclass
class _Draft:
    """An item as it is being read."""

    id: str
    line: int
    fields: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    stem: list[str] = field(default_factory=list)
    stem_line: int = 0
    options: list[_Option] = field(default_factory=list)
    today: list[str] = field(default_factory=list)


@dataclass
class _Reader:
    """Reads one bank and keeps the findings."""

    text: str
    path: Path
    findings: list[ContentError] = field(default_factory=list)

    def read(self) -> tuple[Bank, tuple[ContentError, ...]]:
        lines = self.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        fields, body_start = self._front_matter(lines)
        items = []
        seen: dict[str, int] = {}
        for draft in self._drafts(lines, body_start):
            item = self._item(draft, fields["course"])
            if draft.id in seen:
                self._find(draft.line, 4, f"The id “{draft.id}” is taken by the item at line {seen[draft.id]}.")
            elif item is not None:
                items.append(item)
            seen.setdefault(draft.id, draft.line)
        bank = Bank(self.path.stem, fields["title"], fields["course"], fields["pool"], tuple(items))
        return bank, tuple(self.findings)

    def _find(self, line: int, column: int, sentence: str) -> None:
        self.findings.append(ContentError(self.path, line, column, sentence))

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

    def _drafts(self, lines: list[str], start: int) -> Iterator[_Draft]:
        draft: _Draft | None = None
        for number, line in enumerate(lines[start:], start + 1):
            if line.startswith("## "):
                if draft:
                    yield draft
                draft = _Draft(line[3:].strip(), number)
            elif draft is None:
                if line.strip():
                    self._find(
                        number, 1, "Text before the first item belongs to none; start the item with “## its-id”."
                    )
            else:
                self._take(draft, number, line)
        if draft:
            yield draft

    def _take(self, draft: _Draft, number: int, line: str) -> None:
        option = _OPTION.match(line)
        if option:
            draft.options.append(_Option(option[1] != " ", number, [option[2]]))
        elif line.startswith("- ") and draft.options:
            self._find(number, 1, "An option begins with “- [ ] ” or, if it is right, “- [x] ”.")
        elif draft.options and not draft.today and line.startswith("  "):
            self._take_under_option(draft.options[-1], line.strip())
        elif line.startswith("**Today**") or draft.today:
            draft.today.append(line.removeprefix("**Today**").strip())
        elif line.startswith("**Task**") and not any(draft.stem):
            self._take_fields(draft, number, line)
        elif draft.options and line.strip():
            self._find(
                number, 1, "This text stands under no option; indent it by two spaces, or begin it with **Today**."
            )
        elif not draft.options:
            draft.stem_line = draft.stem_line or (number if line.strip() else 0)
            draft.stem.append(line)

    @staticmethod
    def _take_under_option(option: _Option, text: str) -> None:
        if text.startswith(">"):
            option.rationale.append(text[1:].strip())
        elif text:
            option.text.append(text)

    def _take_fields(self, draft: _Draft, number: int, line: str) -> None:
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

    def _item(self, draft: _Draft, course: str) -> Item | None:
        before = len(self.findings)
        self._check_id(draft)
        task = self._field(draft, "Task", r"[1-9]\.[1-9]", "a task code such as 1.2")
        difficulty = self._field(draft, "Difficulty", "|".join(DIFFICULTIES), f"one of {', '.join(DIFFICULTIES)}")
        lesson = self._lesson(draft)
        enemies = (
            self._field(draft, "Set", r"[a-z0-9]+(-[a-z0-9]+)*", "a name such as multi-az")
            if "Set" in draft.fields
            else ""
        )
        stem = "\n".join(draft.stem).strip()
        self._check_stem(draft, stem)
        self._check_options(draft)
        if len(self.findings) > before:
            return None
        options = tuple(
            Option(letter, " ".join(option.text).strip())
            for letter, option in zip(LETTERS, draft.options, strict=False)
        )
        correct = frozenset(letter for letter, option in zip(LETTERS, draft.options, strict=False) if option.correct)
        rationales = tuple(
            (letter, " ".join(option.rationale)) for letter, option in zip(LETTERS, draft.options, strict=False)
        )
        question = Question(draft.id, course, task, difficulty, lesson, stem, options, len(correct), enemies)
        return Item(question, Key(correct, rationales, " ".join(draft.today).strip()), self.path, draft.line)

    def _check_id(self, draft: _Draft) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", draft.id):
            self._find(
                draft.line, 4, f"An id is lower-case words joined by hyphens, as in saa-1-001, not “{draft.id}”."
            )

    def _field(self, draft: _Draft, name: str, pattern: str, wanted: str) -> str:
        value, line, column = draft.fields.get(name, ("", draft.line, 1))
        if not value:
            self._find(line, column, f"The item lacks **{name}**, {wanted}.")
        elif not re.fullmatch(pattern, value):
            self._find(line, column, f"**{name}** must be {wanted}, not “{value}”.")
        return value

    def _lesson(self, draft: _Draft) -> str:
        value, line, column = draft.fields.get("Lesson", ("", draft.line, 1))
        match = _LINK.match(value)
        if match is None:
            self._find(line, column, "The item lacks **Lesson**, a link to the section of a lesson that teaches it.")
            return ""
        return match[2]

    def _check_stem(self, draft: _Draft, stem: str) -> None:
        keys = sum(option.correct for option in draft.options)
        if not stem:
            self._find(draft.line, 1, "The item has no stem; write the question above its options.")
        elif len(stem) > MAXIMUM_ITEM_CHARACTERS:
            self._find(draft.stem_line, 1, f"The stem is longer than {MAXIMUM_ITEM_CHARACTERS} characters.")
        elif keys > 1 and f"choose {_WORDS.get(keys, keys)}" not in stem.lower():
            self._find(
                draft.stem_line,
                1,
                f"{keys} options are right, so the stem must say “Choose {_WORDS.get(keys, keys)}.”.",
            )
        elif keys == 1 and re.search(r"\bchoose (two|three)\b", stem, re.IGNORECASE):
            self._find(draft.stem_line, 1, "The stem asks for more than one option, but one is marked [x].")

    def _check_options(self, draft: _Draft) -> None:
        correct = [option for option in draft.options if option.correct]
        if not 2 <= len(draft.options) <= len(LETTERS):
            self._find(draft.line, 1, f"An item has 2 to {len(LETTERS)} options, this one {len(draft.options)}.")
        elif not correct:
            self._find(draft.line, 1, "No option is right; mark the key with “- [x]”.")
        elif len(correct) == len(draft.options):
            self._find(draft.line, 1, "Every option is right; at least one must be a distractor.")
        seen: dict[str, int] = {}
        for option in draft.options:
            text = " ".join(" ".join(option.text).split()).casefold()
            if not text:
                self._find(option.line, 1, "This option is empty.")
            elif text in seen:
                self._find(option.line, 7, f"This option is the same as the one at line {seen[text]}.")
            seen.setdefault(text, option.line)
            if not any(option.rationale):
                self._find(
                    option.line,
                    1,
                    "This option has no rationale; say under it, after “  > ”, why it is right or wrong.",
                )
            if re.search(r"\b(all|none|both) of the (above|below|options)\b", text):
                self._find(option.line, 7, "An option may not refer to others; they are shuffled.")


def write(bank: Bank) -> str:
    """Return the text of a bank; reading it gives the same items again."""
    head = f"---\ntitle: {bank.title}\ncourse: {bank.course}\npool: {bank.pool}\n---\n"
    return head + "".join(f"\n{_write_item(item)}" for item in bank.items)


def _write_item(item: Item) -> str:
    question, key = item.question, item.key
    title = Path(question.lesson.partition("#")[0]).stem
    lines = [
        f"## {question.id}",
        "",
        f"**Task** {question.task} · **Difficulty** {question.difficulty} · **Lesson** [{title}]({question.lesson})"
        + (f" · **Set** {question.enemies}" if question.enemies else ""),
        "",
        question.stem,
        "",
    ]
    for option in question.options:
        mark = "x" if option.letter in key.correct else " "
        lines += [f"- [{mark}] {option.text}", f"  > {key.rationale(option.letter)}"]
    if key.today:
        lines += ["", f"**Today** {key.today}"]
    return "\n".join(lines) + "\n"
