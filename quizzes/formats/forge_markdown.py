"""Markdown banks as people write them on forges: boxes, or a key in words, shown or within ``<details>``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quizzes.formats import build, writing
from quizzes.formats.build import Built
from quizzes.formats.drafts import LETTERS
from quizzes.formats.forge_scan import Question, questions
from quizzes.formats.reading import Finding, Imported, Reading, Severity, Writing
from quizzes.formats.source import MAXIMUM_QUESTIONS, MAXIMUM_RAW, lines_ended, too_many
from quizzes.questions import Item

_PICTURE = re.compile(r"!\[[^\]]{0,500}\]\((?!file:)[^)]{1,500}\)")
_SPLIT = re.compile(r"[\s,;/&+.():*_`-]+")
_RUN = re.compile(r"[A-Ha-h]{2,8}")
_LEADING = re.compile(r"[\s*_`(]{0,6}([A-Ha-h]|[1-8])[.):*_`]{1,6}\s+(.+)$")
_RANGE = re.compile(r"(?:[A-Ha-h]|[1-8])\s?[-–—]\s?(?:[A-Ha-h]|[1-8])")
_MORE = re.compile(r"(?:[,;&/]|\band\b)\s*[(*_`]{0,3}(?:[A-Ha-h]|[1-8])(?:[.):,*_`]|$)")
_FILLER = frozenset(("and", "option", "options", "answer", "answers", "is", "are"))


@dataclass
class _Findings:
    number: int
    found: list[Finding] = field(default_factory=list)

    def add(self, severity: Severity, line: int, column: int, sentence: str, raw: str = "") -> None:
        """Keep a finding of the question."""
        self.found.append(Finding(line, column, severity, sentence, self.number, raw=raw[:MAXIMUM_RAW]))


def read(text: str) -> Reading:
    """Return the items of a bank, and what of it is not in them."""
    given, texts = questions(lines_ended(text))
    if len(given) > MAXIMUM_QUESTIONS:
        return too_many()
    items: list[Imported] = []
    findings: list[Finding] = [_left_out(one) for one in texts]
    stems: dict[str, int] = {}
    for number, question in enumerate(given, 1):
        kept = _Findings(number)
        made, found = _build(question, kept)
        _note_stem(question, stems, kept)
        raw = "\n".join(question.raw).strip()[:MAXIMUM_RAW]
        findings += [replace(one, raw=raw) if one.severity == "error" else one for one in (*kept.found, *found)]
        if made is not None:
            items.append(made)
    if not given:
        findings.append(Finding(1, 1, "error", "The file has no question; write options as “- [ ] text”."))
    return Reading(tuple(items), tuple(findings), len(given))


def _left_out(text: Question) -> Finding:
    sentence = "This text belongs to no question; it is left out."
    return Finding(text.line, 1, "loss", sentence, raw="\n".join(text.raw).strip()[:MAXIMUM_RAW])


def _note_stem(question: Question, stems: dict[str, int], kept: _Findings) -> None:
    stem = " ".join(" ".join(question.stem).split()).casefold()
    if stem in stems:
        kept.add("note", question.line, 1, f"This stem stands at line {stems[stem]} too.")
    stems.setdefault(stem, question.line)


def _build(question: Question, kept: _Findings) -> Built:
    right = _right(question, kept)
    if right is None:
        return None, ()
    for option in question.options:
        if _PICTURE.search(option.words):
            sentence = "The picture of this option is no part of the file; its address is kept."
            kept.add("loss", option.line, option.column, sentence, option.words)
    options = [
        build.option(option.words, place in right, " ".join(option.rationale), option.line)
        for place, option in enumerate(question.options)
    ]
    stem, explanation = "\n".join(question.stem), " ".join(question.explanation)
    return build.choice(kept.number, question.line, 1, "", stem, options, explanation, question.category)


def _right(question: Question, kept: _Findings) -> set[int] | None:
    """Return the places of the right options by boxes or by the key, or None with an error."""
    ticked = {place for place, option in enumerate(question.options) if option.ticked}
    if not question.key:
        if any(option.ticked is not None for option in question.options):
            return ticked
        kept.add("error", question.line, 1, "The question has no key; tick a box, or write “Answer: B” under it.")
        return None
    labels = _labels(question, kept)
    named = _named(question, question.key, labels)
    if named is None:
        sentence = f"“{question.key[:60]}” names no option; write letters such as “B” or “B, E”."
        kept.add("error", question.key_line, 1, sentence)
        return None
    if ticked and ticked != named:
        kept.add("error", question.key_line, 1, "The boxes say another key than this line; correct one of them.")
        return None
    for other, line in question.others:
        if _named(question, other, labels) not in (None, named):
            kept.add(
                "error", line, 1, f"Line {question.key_line} says another key than this line; correct one of them."
            )
            return None
    if (found := _LEADING.match(f"{question.key} ")) and not _names_text(question, found, labels):
        question.explanation.insert(0, found[2].strip())
    return named


def _labels(question: Question, kept: _Findings) -> dict[str, int]:
    """Return the place of each label; labels that stand twice count by their place alone, with a note."""
    labels = [option.label for option in question.options]
    letters = dict(zip(LETTERS, range(len(labels)), strict=False))
    if not any(labels):
        return letters | {str(place + 1): place for place in range(len(labels))}
    if len(set(labels)) == len(labels) and not all(label.isdecimal() for label in labels):
        return dict(zip(labels, range(len(labels)), strict=True))
    if labels != [str(place + 1) for place in range(len(labels))]:
        sentence = "The labels of the options are off; they count by their places."
        kept.add("note", question.options[0].line, question.options[0].column, sentence, " ".join(labels))
    return letters | {str(place + 1): place for place in range(len(labels))}


def _named(question: Question, key: str, labels: Mapping[str, int]) -> set[int] | None:
    """Return the places that a key names: “B”, “B, E”, “AC”, “Ac”, “A and C”, “B. text”, or an option's text.

    What may mean one key as well as another names none: a range, or the text of one option that is another's label.
    """
    key = key.strip(" *_`")
    same = [place for place, option in enumerate(question.options) if option.words.casefold().strip() == key.casefold()]
    if len(same) == 1:
        return set(same) if labels.get(key.casefold(), same[0]) == same[0] else None
    if _RANGE.fullmatch(key):
        return None
    words = [word.casefold() for word in _SPLIT.split(key) if word and word.casefold() not in _FILLER]
    if len(words) == 1 and _RUN.fullmatch(words[0]):
        words = list(words[0])
    if words and all(word in labels for word in words):
        return {labels[word] for word in words}
    if (found := _LEADING.match(f"{key} ")) and found[1].casefold() in labels:
        more = _MORE.search(found[2].strip()) and not _names_text(question, found, labels)
        return None if more else {labels[found[1].casefold()]}
    return None


def _names_text(question: Question, found: re.Match[str], labels: Mapping[str, int]) -> bool:
    """Return whether what follows a label in a key is the text of that option."""
    place = labels.get(found[1].casefold())
    text = "" if place is None else question.options[place].words.casefold()
    return bool(text) and text.startswith(found[2].strip().casefold()[: max(20, len(text))])


def write(items: Sequence[Item]) -> Writing:
    """Return choices as task lists in UTF-8, and what that has no place for; other kinds are left out."""
    parts: list[str] = []
    findings: list[Finding] = []
    for number, item in enumerate(items, 1):
        text = _written(item) if item.question.kind == "choice" else ""
        if not text or not _reads_back(text, item):
            reason = "this form has choices only" if not text else "a line of it would be read as something else"
            sentence = f"{item.question.id}: left out, because {reason}."
            findings.append(Finding(max(1, item.line), 1, "error", sentence, number))
        else:
            parts.append(text)
            changed = ["stem"] if item.question.stimulus else []
            lost = writing.lost(item, ("rationales", "explanation"))
            findings += writing.finding(number, item, ["id", *lost], changed)
    return Writing("\n".join(parts).encode(), tuple(findings))


def _written(item: Item) -> str:
    stem = "\n\n".join(text for text in (item.question.stimulus, item.question.stem) if text)
    lines = [f"### Question\n\n{stem}\n"]
    for option in item.question.options:
        lines.append(f"- [{'x' if option.letter in item.key.correct else ' '}] {option.text}")
        lines += [f"  > {item.key.rationale(option.letter)}"] if item.key.rationale(option.letter) else []
    if item.key.explanation:
        key = ", ".join(sorted(item.key.correct)).upper()
        lines.append(f"\n<details>\n\nAnswer: {key}\n\n{item.key.explanation}\n\n</details>")
    return "\n".join(lines) + "\n"


def _reads_back(text: str, item: Item) -> bool:
    """Return whether the text is read as the one question that it is."""
    reading = read(text)
    if reading.questions != 1 or not reading.items:
        return False
    back = reading.items[0].item
    stem = "\n\n".join(one for one in (item.question.stimulus, item.question.stem) if one)
    same = (back.question.options, back.question.stem) == (item.question.options, stem)
    return same and (back.key.correct, back.key.rationales) == (item.key.correct, item.key.rationales)
