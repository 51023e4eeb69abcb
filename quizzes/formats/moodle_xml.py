"""Moodle XML: a file of questions as items; ``write`` of moodle_writer makes such a file.

Elements are those that Moodle's own export writes (question/format/xml of Moodle 2.0 to 4.5); older files name pictures
by ``image_base64``. A kind of question that Archway does not have is an error that keeps the question's source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from quizzes.formats import build
from quizzes.formats.build import Built
from quizzes.formats.drafts import Line
from quizzes.formats.findings import MAXIMUM_HTML, MAXIMUM_PARTS, Findings, decode_base64
from quizzes.formats.html import from_elements, picture_name, to_markdown
from quizzes.formats.moodle_writer import write
from quizzes.formats.reading import Reading
from quizzes.formats.source import MAXIMUM_QUESTIONS
from quizzes.formats.xml_tree import Document, Element, XmlError, parse

__all__ = ["read", "write"]

_TAG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WILDCARD = re.compile(r"(?<!\\)\*")
_USUAL_PENALTIES = frozenset({"", "0", "0.0", "0.1", "0.3333333", "0.33333", "1", "1.0"})
_USUAL_FEEDBACK = frozenset(
    {"", "your answer is correct.", "your answer is partially correct.", "your answer is incorrect."}
)
_COMBINED = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")


def read(data: bytes) -> Reading:
    """Return the items of a Moodle XML file; a file that is no such file is one error at its line."""
    findings = Findings()
    try:
        document = parse(data)
    except XmlError as error:
        findings.add("error", (error.line, error.column), error.sentence)
        return findings.reading(0)
    for line, column, sentence in document.mended:
        findings.add("loss" if "left out" in sentence else "note", (line, column), sentence)
    if document.root.name != "quiz":
        findings.add("error", document.root, f"A file of Moodle XML begins with <quiz>, not <{document.root.name}>.")
        return findings.reading(0)
    return findings.reading(_read_quiz(document, findings))


def _read_quiz(document: Document, findings: Findings) -> int:
    """Read every question and return how many there are."""
    category, count = "", 0
    strange = Counter(one.name for one in document.root.elements() if one.name != "question")
    for name, times in strange.items():
        first = next(document.root.elements(name))
        sentence = f"<{name[:60]}> is no question; it is left out" + (f", {times} times." if times > 1 else ".")
        findings.add("loss", first, sentence, document.raw(first))
    for element in document.root.elements("question"):
        findings.number = 0
        if element.get("type") == "category":
            category = _category(element)
        elif count == MAXIMUM_QUESTIONS:
            findings.add("error", element, f"The file has more than {MAXIMUM_QUESTIONS} questions; split it.")
            return count
        else:
            count = findings.number = count + 1
            _Question(element, document, findings, category).read()
    if not count:
        findings.number = 0
        findings.add("error", document.root, "The file has no questions.")
    return count


def _category(element: Element) -> str:
    """Return a category's path without the names that Moodle puts before it."""
    named = element.find("category")
    path = " ".join(_plain(named).split()) if named is not None else ""
    return re.sub(r"^(?:\$\w+\$/?)?(?:top(?:/|$))?", "", path)


def _plain(element: Element | None) -> str:
    """Return the words of a ``<text>`` within an element, or of the element itself."""
    if element is None:
        return ""
    text = element.find("text")
    return (text or element).text().strip()


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal("1e15") else None


@dataclass
class _Question:
    """One question of the file while it is read."""

    element: Element
    document: Document
    findings: Findings
    category: str
    pictures: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Make an item of the question, or say why it cannot be one."""
        if sum(1 for _ in self.element.walk()) > MAXIMUM_PARTS:
            self.refuse(f"The question has more than {MAXIMUM_PARTS} parts; it is not read.")
            return
        kind = self.element.get("type").lower()
        reader = _READERS.get(kind)
        if reader is None:
            sentence = f"Archway has no questions of the type “{kind[:60]}”; this one cannot come."
            self.refuse(sentence if kind else "The question does not say of what type it is.")
            return
        if re.search(r"\{\d*:[A-Z_]+:", _plain(self.element.find("questiontext"))):
            self.refuse("The text holds questions of its own (cloze); write each as a question by itself.")
            return
        self._keep_files()
        built = reader(self)
        self._name_losses()
        if built is not None:
            self.findings.take(self.element, self.document, built)

    def refuse(self, sentence: str) -> None:
        """Say why the question cannot be an item, and keep its source."""
        self.findings.add("error", self.element, sentence, self.document.raw(self.element))

    @property
    def start(self) -> tuple[int, int, int, str]:
        """What every builder begins with: the question's number, its line and column, and its name."""
        name = _plain(self.element.find("name")) or _plain(self.element.find("idnumber"))
        return self.findings.start(self.element, name)

    @property
    def fields(self) -> dict[str, str]:
        """The tags that are names as Archway has them."""
        tags = self.element.find("tags")
        names = [" ".join(_plain(tag).split()) for tag in (tags.elements("tag") if tags is not None else ())]
        return {"Tags": ", ".join(dict.fromkeys(filter(_TAG.fullmatch, names)))}

    def stem(self) -> str:
        """Return the question's text, with the picture that old files keep beside it."""
        text = self.text(self.element.find("questiontext"), "stem", one_line=False)
        old = self.element.find("image_base64")
        if old is not None and old.text().strip():
            named = picture_name(_plain(self.element.find("image"))) or "picture.png"
            name = self.findings.keep_picture(old, named, decode_base64(old.text()))
            text = f"{text}\n\n![](<file:{name}>)" if name else text
        elif _plain(self.element.find("image")):
            self.findings.add("loss", self.element, "The question's picture is not in the file; it is left out.")
        return text

    def explanation(self) -> str:
        """Return what is said of the question as a whole."""
        return self.text(self.element.find("generalfeedback"), "general feedback")

    def text(self, element: Element | None, part: str, *, one_line: bool = True, usual: str = "html") -> str:
        """Return one text of the question as Markdown, by the format that it names."""
        if element is None:
            return ""
        text, written = _plain(element), element.get("format") or usual
        if len(text) > MAXIMUM_HTML:
            self.findings.add(
                "loss", element, f"The {part} is longer than {MAXIMUM_HTML} characters; the rest is cut off."
            )
            text = text[:MAXIMUM_HTML]
        if written == "markdown":
            return " ".join(text.split()) if one_line else text
        if written == "plain_text":
            paragraphs = [Element("p", {}, children=[one]) for one in re.split(r"\n\s*\n", text)]
            return from_elements(paragraphs, one_line=one_line).text
        converted = to_markdown(text, one_line=one_line, picture=self._picture)
        return self.findings.converted(part, element, converted)

    def _picture(self, address: str) -> str | None:
        return self.pictures.get(picture_name(address) or "")

    def _keep_files(self) -> None:
        """Keep the pictures that texts of the question may show, under the names that they get."""
        for file in self.element.walk("file"):
            name = picture_name(file.get("name"))
            if name is None:
                sentence = f"The file “{file.get('name')[:100]}” is no picture; it is left out."
                self.findings.add("loss", file, sentence)
                continue
            kept = self.findings.keep_picture(file, name, decode_base64(file.text()))
            if kept:
                self.pictures[name] = kept

    def answers(self) -> Iterator[tuple[Element, Decimal]]:
        """Yield the answers with what each earns, in per cent; one whose fraction is no number earns nothing."""
        for answer in self.element.elements("answer"):
            fraction = _decimal(answer.get("fraction") or "0")
            if fraction is None:
                self.findings.add(
                    "loss", answer, f"The fraction “{answer.get('fraction')[:40]}” is no number; it counts as 0."
                )
            yield answer, fraction or Decimal(0)

    def option(self, answer: Element, *, correct: bool) -> Line:
        """Return an answer as an option, with its feedback as the rationale."""
        text = self.text(answer, "answer", usual=self._usual_format())
        reason = self.text(answer.find("feedback"), "feedback")
        return build.option(text, correct, reason, answer.line)

    def _usual_format(self) -> str:
        """Return how an answer without a format is written: old files have plain texts."""
        asked = self.element.find("questiontext")
        return (asked.get("format") if asked is not None else "") or "html"

    def _name_losses(self) -> None:
        """Name what belongs to the question and has no place in an item."""
        tags = self.element.find("tags")
        for tag in tags.elements("tag") if tags is not None else ():
            name = " ".join(_plain(tag).split())
            if name and not _TAG.fullmatch(name):
                sentence = f"The tag “{name[:60]}” is left out; a tag is lower-case words joined by hyphens."
                self.findings.add("loss", tag, sentence)
        for hint in self.element.elements("hint"):
            if _plain(hint):
                self.findings.add("loss", hint, "A hint is left out; Archway gives none.", self.document.raw(hint))
        for name in _COMBINED:
            feedback = self.element.find(name)
            if (
                feedback is not None
                and re.sub(r"<[^<>]*>", "", _plain(feedback)).strip().lower() not in _USUAL_FEEDBACK
            ):
                self.findings.add("loss", feedback, f"The <{name}> is left out; a rationale belongs to one answer.")
        grade, penalty = self.element.find("defaultgrade"), self.element.find("penalty")
        if grade is not None and _decimal(grade.text() or "1") != 1:
            self.findings.add(
                "loss", grade, f"The grade {grade.text().strip()[:40]} is left out; every item counts one."
            )
        if penalty is not None and penalty.text().strip().rstrip("0") not in {
            one.rstrip("0") for one in _USUAL_PENALTIES
        }:
            self.findings.add(
                "loss", penalty, f"The penalty {penalty.text().strip()[:40]} is left out; a wrong answer earns nothing."
            )

    def shuffles(self) -> bool:
        """Return whether the author lets the answers stand in any order."""
        return _plain(self.element.find("shuffleanswers")).lower() not in ("false", "0")


def _read_choice(question: _Question) -> Built | None:
    answers = list(question.answers())
    whole = question.element.get("type") == "multichoiceset"
    single = not whole and _plain(question.element.find("single")) not in ("false", "0")
    if single and sum(fraction >= 99 for _, fraction in answers) > 1:
        question.refuse("Several answers earn everything, though one is chosen; let one of them be right.")
        return None
    right = [fraction >= 99 if single else fraction > 0 for _, fraction in answers]
    if not whole:
        _name_weights(question, answers, right, single=single)
    options = [question.option(answer, correct=ok) for (answer, _), ok in zip(answers, right, strict=True)]
    return build.choice(
        *question.start,
        question.stem(),
        options,
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
        fixed=not question.shuffles(),
    )


def _name_weights(
    question: _Question, answers: list[tuple[Element, Decimal]], right: list[bool], *, single: bool
) -> None:
    """Name what answers earn where our own rule of credit gives them something else."""
    share = Decimal(100) / max(1, sum(right))
    for (answer, fraction), ok in zip(answers, right, strict=True):
        ours = share if ok else Decimal(0) if single else -share
        if abs(fraction - ours) > Decimal("0.4"):
            question.findings.add(
                "loss", answer, f"The weight {fraction} % is left out; credit follows Archway's own rule."
            )


def _read_true_false(question: _Question) -> Built | None:
    answers = list(question.answers())
    words = [_plain(answer).lower() for answer, _ in answers]
    if sorted(words) != ["false", "true"]:
        question.refuse("A true-false question has the answers “true” and “false”, each once.")
        return None
    told = dict(zip(words, answers, strict=True))
    reasons = {word: question.text(answer.find("feedback"), "feedback") for word, (answer, _) in told.items()}
    rights = [word for word, (_, fraction) in told.items() if fraction > 0]
    if len(rights) != 1:
        question.refuse("Of “true” and “false”, one earns 100 %; give one of them that fraction.")
        return None
    return build.true_false(
        *question.start,
        question.stem(),
        right=rights == ["true"],
        rationales=(reasons["true"], reasons["false"]),
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
    )


def _read_short_text(question: _Question) -> Built | None:
    spellings, rationale = [], ""
    if _plain(question.element.find("usecase")) == "1":
        question.findings.add("loss", question.element, "Capitals count in this question; Archway takes either.")
    for answer, fraction in question.answers():
        text = " ".join(_plain(answer).split())
        reason = question.text(answer.find("feedback"), "feedback")
        if fraction >= 99 and not _WILDCARD.search(text):
            spellings.append(text.replace(r"\*", "*"))
            rationale = rationale or reason
            continue
        why = "has a wildcard" if fraction >= 99 else f"earns {fraction} %" + (" and has feedback" if reason else "")
        raw = question.document.raw(answer)
        question.findings.add("loss", answer, f"The answer “{text[:100]}” {why}; it is left out.", raw)
    return build.short_text(
        *question.start,
        question.stem(),
        spellings,
        rationale=rationale,
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
    )


def _read_number(question: _Question) -> Built | None:
    right: tuple[Element, Decimal] | None = None
    for answer, fraction in question.answers():
        value = _decimal(_plain(answer))
        if right is None and fraction >= 99 and value is not None:
            right = answer, value
            continue
        sentence = f"The answer “{_plain(answer)[:100]}” ({fraction} %) is left out; an item has one number."
        question.findings.add("loss", answer, sentence, question.document.raw(answer))
    if right is None:
        question.refuse("No number earns 100 %; give the right one that fraction.")
        return None
    answer, value = right
    tolerance = _decimal(_plain(answer.find("tolerance")) or "0")
    return build.numeric(
        *question.start,
        question.stem(),
        f"{value:f}",
        tolerance=f"{abs(tolerance):f}" if tolerance else "",
        unit=_unit(question),
        rationale=question.text(answer.find("feedback"), "feedback"),
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
    )


def _unit(question: _Question) -> str:
    """Return the unit that the number is given in; others are losses."""
    kept = ""
    for unit in question.element.walk("unit"):
        name, factor = _plain(unit.find("unit_name")), _decimal(_plain(unit.find("multiplier")) or "1")
        if factor == 1 and not kept and re.fullmatch(r"[^\W\d].{0,39}|%", name):
            kept = name
        else:
            question.findings.add("loss", unit, f"The unit “{name[:40]}” is left out; an item has one.")
    return kept


def _read_matching(question: _Question) -> Built | None:
    pairs = []
    for pair in question.element.elements("subquestion"):
        partner = question.text(pair.find("answer"), "partner", usual="plain_text")
        pairs.append(build.option(question.text(pair, "pair"), True, "", pair.line, partner))
    return build.matching(
        *question.start,
        question.stem(),
        pairs,
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
        fixed=not question.shuffles(),
    )


def _read_ordering(question: _Question) -> Built | None:
    if _plain(question.element.find("selecttype")) not in ("", "0", "ALL"):
        question.findings.add("loss", question.element, "Moodle shows some of these steps only; Archway shows all.")
    steps = [question.option(answer, correct=True) for answer in question.element.elements("answer")]
    return build.ordering(
        *question.start,
        question.stem(),
        steps,
        explanation=question.explanation(),
        category=question.category,
        fields=question.fields,
    )


_READERS: dict[str, Callable[[_Question], Built | None]] = {
    "multichoice": _read_choice,
    "multichoiceset": _read_choice,
    "truefalse": _read_true_false,
    "shortanswer": _read_short_text,
    "numerical": _read_number,
    "matching": _read_matching,
    "ddmatch": _read_matching,
    "ordering": _read_ordering,
}
