"""Aiken: a stem, options by letter, and a line that names the right one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from quizzes.formats import build, writing
from quizzes.formats.build import Built
from quizzes.formats.reading import Finding, Imported, Reading, Writing
from quizzes.formats.source import MAXIMUM_QUESTIONS, MAXIMUM_RAW, lines_ended, too_many
from quizzes.questions import Item

_OPTION = re.compile(r"\s*([A-Za-z])[.)]\s*(.*)$")
_ANSWER = re.compile(r"\s*ANSWERS?\s*:\s*(.*)$", re.IGNORECASE)
_LETTER = re.compile(r"([A-Za-z])[.)]?\s*$")


@dataclass
class _Question:
    """A question while it is read; lines are numbered from 1."""

    line: int
    stem: list[str] = field(default_factory=list)
    options: list[tuple[str, list[str], int]] = field(default_factory=list)
    """Letter, text and line of each."""
    raw: list[str] = field(default_factory=list)
    answer: str | None = None
    answer_line: int = 0
    blank: bool = False
    """Whether the line before was blank."""

    def ends_before(self, line: str) -> bool:
        """Return whether another question begins: after the answer, or with a text after a blank line."""
        if not line.strip() or _ANSWER.match(line):
            return False
        return self.answer is not None or (bool(self.options) and self.blank and not _OPTION.match(line))

    def take(self, number: int, line: str) -> None:
        """Add a line."""
        self.raw.append(line)
        self.blank = not line.strip()
        if found := _ANSWER.match(line):
            self.answer, self.answer_line = self._and(found[1].strip()), number
        elif (found := _OPTION.match(line)) and (self.options or _is_first(found[1])):
            self.options.append((found[1].upper(), [found[2].strip()], number))
        elif self.options and line.strip():
            self.options[-1][1].append(line.strip())
        elif not self.options:
            self.stem.append(line)

    def _and(self, answer: str) -> str:
        return answer if self.answer is None else f"{self.answer[:40]} {answer}"


def read(text: str) -> Reading:
    """Return the items of an Aiken file, and what of it is not in them; texts are taken as our Markdown."""
    items: list[Imported] = []
    findings: list[Finding] = []
    questions = _questions(lines_ended(text))
    if len(questions) > MAXIMUM_QUESTIONS:
        return too_many()
    for number, question in enumerate(questions, 1):
        made, found = _build(number, question)
        raw = "\n".join(question.raw).strip()[:MAXIMUM_RAW]
        findings += [replace(one, raw=raw) if one.severity == "error" else one for one in found]
        if made is not None:
            items.append(made)
    if not questions:
        findings.append(Finding(1, 1, "error", "The file has no question; one ends with “ANSWER: A”."))
    return Reading(tuple(items), tuple(findings), len(questions))


def _is_first(letter: str) -> bool:
    return letter in "Aa"


def _questions(text: str) -> list[_Question]:
    questions: list[_Question] = []
    for number, line in enumerate(text.split("\n"), 1):
        if questions and not questions[-1].ends_before(line):
            questions[-1].take(number, line)
        elif line.strip():
            questions.append(_Question(number))
            questions[-1].take(number, line)
    return questions


def _build(number: int, question: _Question) -> Built:
    """Return the item of a question whose answer is one of its letters."""
    fault = _fault(question)
    if fault:
        line, sentence = fault
        return None, (Finding(line, 1, "error", sentence, number),)
    letters = [letter for letter, _, _ in question.options]
    options = [
        build.option(" ".join(words), letter == question.answer[:1].upper() if question.answer else False, "", line)
        for letter, words, line in question.options
    ]
    notes = []
    if letters != [chr(ord("A") + place) for place in range(len(letters))]:
        sentence = "The letters of the options are not in their order; the options keep theirs."
        notes.append(Finding(question.options[0][2], 1, "note", sentence, number))
    made, found = build.choice(number, question.line, 1, "", "\n".join(question.stem), options)
    return made, (*found, *notes)


def _fault(question: _Question) -> tuple[int, str] | None:
    """Return the line and the sentence of what keeps a question out, if anything does."""
    letters = [letter for letter, _, _ in question.options]
    if question.answer is None:
        return question.line, "The question has no answer; write “ANSWER: A” under its options."
    if not letters:
        return question.line, "The question has no options; write each on a line, as in “A. text”."
    if len(set(letters)) < len(letters):
        return question.options[0][2], "Two options have the same letter; give each its own."
    found = _LETTER.match(question.answer)
    if found is None:
        shown = question.answer[:40]
        return question.answer_line, f"“{shown}” is not one letter; a question of Aiken has one right answer."
    if found[1].upper() not in letters:
        return question.answer_line, f"No option has the letter {found[1].upper()}."
    return None


def write(items: Sequence[Item]) -> Writing:
    """Return the file in UTF-8, and what it does not carry; all but choices of one are left out."""
    parts: list[str] = []
    findings: list[Finding] = []
    for number, item in enumerate(items, 1):
        reason = _unwritable(item)
        if reason:
            sentence = f"{item.question.id}: left out, because {reason}."
            findings.append(Finding(max(1, item.line), 1, "error", sentence, number))
        else:
            parts.append(_written(item))
            findings += writing.finding(number, item, ["id", *writing.lost(item, ())], _changed(item))
    return Writing("\n".join(parts).encode(), tuple(findings))


def _changed(item: Item) -> list[str]:
    return ["stem"] if item.question.stimulus else []


def _stem(item: Item) -> str:
    return "\n\n".join(text for text in (item.question.stimulus, item.question.stem) if text)


def _unwritable(item: Item) -> str:
    if item.question.kind != "choice" or item.question.choose > 1:
        return "Aiken has choices of one option only"
    if any(_OPTION.match(line) or _ANSWER.match(line) for line in _stem(item).split("\n")):
        return "a line of its stem reads as an option or an answer of Aiken"
    return ""


def _written(item: Item) -> str:
    options = "".join(f"{one.letter.upper()}. {one.text}\n" for one in item.question.options)
    return f"{_stem(item)}\n{options}ANSWER: {item.key.answer.upper()}\n"
