"""Items as a file of Moodle XML, which Moodle 3.9 and later import; orderings need its plug-in of that name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from lxml import etree

from quizzes.formats import writing
from quizzes.formats.reading import Writing
from quizzes.questions import Item

_CARRIED = frozenset({"order", "tags", "unit", "rationales", "explanation"})
_WITHOUT_RATIONALES = _CARRIED - {"rationales"}
_TYPES = {"numeric": "numerical", "text": "shortanswer", "matching": "matching", "ordering": "ordering"}


def write(items: Sequence[Item]) -> Writing:
    """Return the file, and for each item what it does not carry or writes another way."""
    root = etree.Element("quiz")
    found = []
    for number, item in enumerate(items, 1):
        _write_question(root, item)
        found += writing.finding(number, item, _lost(item), _changed(item))
    data = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return Writing(data, tuple(found))


def _lost(item: Item) -> list[str]:
    few = item.question.kind in ("ordering", "matching")
    carried = _WITHOUT_RATIONALES if few else _CARRIED
    if item.question.kind not in ("choice", "matching"):
        carried = carried - {"order"}
    return writing.lost(item, carried)


def _changed(item: Item) -> list[str]:
    found = writing.changed(item)
    if any(writing.plain_text(one.text) != one.text for one in item.question.targets):
        found.append("partners")
    return [*found, "tolerance"] if item.key.tolerance.endswith("%") else found


def _write_question(root: etree._Element, item: Item) -> None:
    question = item.question
    kind = "truefalse" if _is_true_false(item) else _TYPES.get(question.kind, "multichoice")
    element = etree.SubElement(root, "question", type=kind)
    _text(etree.SubElement(element, "name"), question.id)
    _html(element, "questiontext", writing.case_html(item))
    _html(element, "generalfeedback", writing.line_html(item.key.explanation))
    _simple(element, "defaultgrade", "1.0000000")
    _simple(element, "penalty", "1.0000000" if kind == "truefalse" else "0.3333333")
    _simple(element, "hidden", "0")
    _simple(element, "idnumber", question.id)
    _ANSWERS[kind](element, item)
    if question.tags:
        tags = etree.SubElement(element, "tags")
        for tag in question.tags:
            _text(etree.SubElement(tags, "tag"), tag)


def _is_true_false(item: Item) -> bool:
    return item.question.kind == "choice" and [one.text for one in item.question.options] == ["True", "False"]


def _write_choice(element: etree._Element, item: Item) -> None:
    question, right = item.question, item.key.correct
    _simple(element, "single", "true" if len(right) == 1 else "false")
    _simple(element, "shuffleanswers", "false" if question.fixed else "true")
    _simple(element, "answernumbering", "abc")
    share = _fraction(Decimal(100) / len(right))
    wrong = "0" if len(right) == 1 else f"-{share}"
    for option in question.options:
        fraction = share if option.letter in right else wrong
        _answer(element, fraction, writing.line_html(option.text), item.key.rationale(option.letter))


def _write_true_false(element: etree._Element, item: Item) -> None:
    for option in item.question.options:
        fraction = "100" if option.letter in item.key.correct else "0"
        _answer(element, fraction, option.text.lower(), item.key.rationale(option.letter), written="moodle_auto_format")


def _write_short_text(element: etree._Element, item: Item) -> None:
    _simple(element, "usecase", "0")
    for number, spelling in enumerate(sorted(item.key.correct)):
        text = writing.CONTROL.sub("", spelling).replace("*", r"\*")
        reason = "" if number else item.key.rationale("")
        _answer(element, "100", text, reason, written="moodle_auto_format")


def _write_number(element: etree._Element, item: Item) -> None:
    answer = _answer(element, "100", item.key.answer, item.key.rationale(""), written="moodle_auto_format")
    _simple(answer, "tolerance", f"{writing.tolerance(item):f}")
    if item.question.unit:
        unit = etree.SubElement(etree.SubElement(element, "units"), "unit")
        _simple(unit, "multiplier", "1")
        _simple(unit, "unit_name", item.question.unit)


def _write_matching(element: etree._Element, item: Item) -> None:
    _simple(element, "shuffleanswers", "false" if item.question.fixed else "true")
    lines = [(writing.line_html(one.text), target.text) for one, target in writing.partners(item)]
    for html, partner in [*lines, *(("", one.text) for one in writing.leftover(item))]:
        pair = _html(element, "subquestion", html)
        _text(etree.SubElement(pair, "answer"), writing.plain(partner))


def _write_ordering(element: etree._Element, item: Item) -> None:
    for name, value in (("layouttype", "VERTICAL"), ("selecttype", "ALL"), ("gradingtype", "RELATIVE_TO_CORRECT")):
        _simple(element, name, value)
    for number, step in enumerate(writing.steps(item), 1):
        _answer(element, str(number), writing.line_html(step.text), "")


_ANSWERS: dict[str, Callable[[etree._Element, Item], None]] = {
    "multichoice": _write_choice,
    "truefalse": _write_true_false,
    "shortanswer": _write_short_text,
    "numerical": _write_number,
    "matching": _write_matching,
    "ordering": _write_ordering,
}


def _answer(
    element: etree._Element, fraction: str, text: str, rationale: str, *, written: str = "html"
) -> etree._Element:
    answer = etree.SubElement(element, "answer", fraction=fraction, format=written)
    _text(answer, text)
    _html(answer, "feedback", writing.line_html(rationale))
    return answer


def _html(parent: etree._Element, name: str, html: str) -> etree._Element:
    element = etree.SubElement(parent, name, format="html")
    _text(element, html)
    return element


def _text(parent: etree._Element, text: str) -> None:
    _simple(parent, "text", text)


def _simple(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _fraction(value: Decimal) -> str:
    """Write a share of 100 as Moodle's list of grades has it, with five places at most."""
    return f"{value:.5f}".rstrip("0").rstrip(".")
