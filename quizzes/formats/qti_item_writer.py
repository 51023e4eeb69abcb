"""One item as a QTI file: its interaction, its key, the credit of its answers, and its rationales as feedback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lxml import etree

from quizzes.formats import writing
from quizzes.formats.qti_item import FEEDBACK_FOR_ANSWER, case_name
from quizzes.formats.qti_tree import ANSWER_LINE, UNIT
from quizzes.questions import Item

EXPLANATION = "explanation"
_TITLE = 80
_AS_QTI_HAS_IT = {"s": "span", "del": "span", "aside": "div"}
"""HTML that our texts become and QTI does not allow, and what stands in its place."""
_ATTRIBUTES = frozenset({"alt", "colspan", "href", "scope", "src", "start"})
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")


@dataclass(frozen=True)
class Names:
    """Makes elements by their names in QTI 2.1; those of 3.0 follow from them."""

    namespace: str
    modern: bool = False
    """Whether they are those of 3.0."""
    numbered: bool = True
    """Whether a list may begin with another number than 1."""

    def root(self, name: str, **attributes: str) -> etree._Element:
        """Return a root element."""
        named = {self._attribute(key): value for key, value in attributes.items()}
        return etree.Element(self._name(name), named, nsmap={None: self.namespace})  # type: ignore[dict-item]

    def add(self, parent: etree._Element, name: str, text: str = "", /, **attributes: str) -> etree._Element:
        """Append an element of QTI and return it."""
        named = {self._attribute(key): value for key, value in attributes.items()}
        element = etree.SubElement(parent, self._name(name), named)
        element.text = text or None
        return element

    def add_html(self, parent: etree._Element, html: str) -> None:
        """Append XHTML to an element, within what QTI allows."""
        self._copy(parent, etree.fromstring(f"<div>{html}</div>"))

    def content(self, parent: etree._Element, html: str) -> None:
        """Append XHTML to feedback, which 3.0 wants in an element of its own."""
        self.add_html(self.add(parent, "contentBody") if self.modern else parent, html)

    def _copy(self, parent: etree._Element, source: etree._Element) -> None:
        _append_text(parent, source.text)
        for child in source:
            if child.tag == "img":
                _append_text(parent, child.get("alt"))
            else:
                self._copy(etree.SubElement(parent, f"{{{self.namespace}}}{_tag(child)}", self._kept(child)), child)
            _append_text(parent, child.tail)

    def _kept(self, source: etree._Element) -> dict[str, str]:
        allowed = _ATTRIBUTES if self.numbered else _ATTRIBUTES - {"start"}
        return {str(name): str(value) for name, value in source.attrib.items() if name in allowed}

    def _name(self, name: str) -> str:
        return f"{{{self.namespace}}}{'qti-' + _hyphens(name) if self.modern else name}"

    def _attribute(self, name: str) -> str:
        # “class” is a word of Python.
        return _hyphens(name.rstrip("_")) if self.modern else name.rstrip("_")


def _tag(source: etree._Element) -> str:
    """Return the name in QTI of an element of HTML; a table that has no more than a head has a body alone."""
    if source.tag == "thead" and source.getnext() is None:
        return "tbody"
    return _AS_QTI_HAS_IT.get(str(source.tag), str(source.tag))


def _append_text(parent: etree._Element, text: str | None) -> None:
    if not text:
        return
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _hyphens(name: str) -> str:
    return _CAPITAL.sub(r"-\1", name).lower()


def write_item(names: Names, item: Item, identifier: str) -> etree._Element:
    """Return the ``assessmentItem`` of an item."""
    title = writing.plain(item.question.stem)[:_TITLE].strip() or identifier
    root = names.root("assessmentItem", identifier=identifier, title=title, adaptive="false", timeDependent="false")
    interact = _KINDS[item.question.kind]
    body = etree.Element("body")
    interact(names, root, body, item)
    _outcomes(names, root)
    if names.modern and item.question.stimulus:
        case = item.question.case or case_name(item.question.stimulus)
        names.add(root, "assessmentStimulusRef", identifier=f"case-{case}", href=f"../stimuli/{case}.xml")
    _body(names, root, item, body)
    _processing(names, root, item)
    for name, text in _feedback(item):
        feedback = names.add(root, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=name, showHide="show")
        names.content(feedback, writing.line_html(text))
    return root


def _body(names: Names, root: etree._Element, item: Item, interaction: etree._Element) -> None:
    body = names.add(root, "itemBody")
    if item.question.stimulus and not names.modern:
        case = item.question.case or case_name(item.question.stimulus)
        rubric = names.add(body, "rubricBlock", view="candidate", id=f"case-{case}")
        names.add_html(rubric, writing.block_html(item.question.stimulus))
    names.add_html(body, writing.block_html(item.question.stem))
    body.extend(list(interaction))


def _feedback(item: Item) -> list[tuple[str, str]]:
    """Return every rationale and the explanation by the name that shows it."""
    reasons = [(letter or FEEDBACK_FOR_ANSWER, text) for letter, text in item.key.rationales if text]
    return [*reasons, (EXPLANATION, item.key.explanation)] if item.key.explanation else reasons


def _declare(names: Names, root: etree._Element, cardinality: str, base: str, values: Iterable[str]) -> etree._Element:
    declaration = names.add(root, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType=base)
    correct = names.add(declaration, "correctResponse")
    for value in values:
        names.add(correct, "value", value)
    return declaration


def _map(names: Names, declaration: etree._Element, weights: dict[str, str], **attributes: str) -> None:
    bounds = {"lowerBound": "0", "upperBound": "1"}
    mapping = names.add(declaration, "mapping", **bounds, defaultValue="0")
    for key, weight in weights.items():
        names.add(mapping, "mapEntry", mapKey=key, mappedValue=weight, **attributes)


def _choice(names: Names, root: etree._Element, body: etree._Element, item: Item) -> None:
    question, right = item.question, sorted(item.key.correct)
    several = len(right) > 1
    declaration = _declare(names, root, "multiple" if several else "single", "identifier", right)
    if several:
        share = f"{1 / len(right):.6g}"
        letters = [one.letter for one in question.options]
        _map(names, declaration, {one: share if one in right else f"-{share}" for one in letters})
    interaction = names.add(
        body,
        "choiceInteraction",
        responseIdentifier="RESPONSE",
        shuffle="false" if question.fixed else "true",
        maxChoices=str(len(right)),
    )
    for option in question.options:
        choice = names.add(interaction, "simpleChoice", identifier=option.letter)
        names.add_html(choice, writing.line_html(option.text))


def _ordering(names: Names, root: etree._Element, body: etree._Element, item: Item) -> None:
    _declare(names, root, "ordered", "identifier", item.key.answer)
    interaction = names.add(body, "orderInteraction", responseIdentifier="RESPONSE", shuffle="true")
    for option in item.question.options:
        choice = names.add(interaction, "simpleChoice", identifier=option.letter)
        names.add_html(choice, writing.line_html(option.text))


def _matching(names: Names, root: etree._Element, body: etree._Element, item: Item) -> None:
    question = item.question
    right = [f"{one.letter} partner-{target.letter}" for one, target in writing.partners(item)]
    declaration = _declare(names, root, "multiple", "directedPair", right)
    _map(names, declaration, dict.fromkeys(right, f"{1 / len(right):.6g}"))
    interaction = names.add(
        body,
        "matchInteraction",
        responseIdentifier="RESPONSE",
        shuffle="false" if question.fixed else "true",
        maxAssociations=str(len(right)),
    )
    for options, prefix, most in ((question.options, "", "1"), (question.targets, "partner-", "0")):
        part = names.add(interaction, "simpleMatchSet")
        for option in options:
            choice = names.add(part, "simpleAssociableChoice", identifier=prefix + option.letter, matchMax=most)
            names.add_html(choice, writing.line_html(option.text))


def _number(names: Names, root: etree._Element, body: etree._Element, item: Item) -> None:
    _declare(names, root, "single", "float", [item.key.answer])
    _entry(names, body, item.question.unit)


def _text(names: Names, root: etree._Element, body: etree._Element, item: Item) -> None:
    spellings = [writing.CONTROL.sub("", one) for one in sorted(item.key.correct)]
    declaration = _declare(names, root, "single", "string", spellings[:1])
    _map(names, declaration, dict.fromkeys(spellings, "1"), caseSensitive="false")
    _entry(names, body, "")


def _entry(names: Names, body: etree._Element, unit: str) -> None:
    line = etree.SubElement(body, f"{{{names.namespace}}}p", {"class": ANSWER_LINE})
    interaction = names.add(line, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="20")
    if unit:
        interaction.tail = " "
        etree.SubElement(line, f"{{{names.namespace}}}span", {"class": UNIT}).text = unit


_KINDS: dict[str, Callable[[Names, etree._Element, etree._Element, Item], None]] = {
    "choice": _choice,
    "ordering": _ordering,
    "matching": _matching,
    "numeric": _number,
    "text": _text,
}


def _outcomes(names: Names, root: etree._Element) -> None:
    score = names.add(root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    names.add(names.add(score, "defaultValue"), "value", "0")
    names.add(root, "outcomeDeclaration", identifier="FEEDBACK", cardinality="multiple", baseType="identifier")


def _processing(names: Names, root: etree._Element, item: Item) -> None:
    """Write the rules: one point for the right answer, or the credit of the mapping, and which feedback is shown."""
    rules = names.add(root, "responseProcessing")
    if item.question.type in ("multiple-response", "matching", "short-text"):
        _set(names, rules, "SCORE", "mapResponse")
    else:
        condition = names.add(names.add(rules, "responseCondition"), "responseIf")
        compared = _comparison(names, condition, item)
        names.add(compared, "variable", identifier="RESPONSE")
        names.add(compared, "correct", identifier="RESPONSE")
        outcome = names.add(condition, "setOutcomeValue", identifier="SCORE")
        names.add(outcome, "baseValue", "1", baseType="float")
    _show_feedback(names, rules, item)


def _comparison(names: Names, condition: etree._Element, item: Item) -> etree._Element:
    if item.question.kind != "numeric":
        return names.add(condition, "match")
    written = item.key.tolerance
    if not written:
        return names.add(condition, "equal", toleranceMode="exact")
    mode, number = "relative" if written.endswith("%") else "absolute", written.removesuffix("%").strip()
    return names.add(condition, "equal", toleranceMode=mode, tolerance=f"{number} {number}")


def _show_feedback(names: Names, rules: etree._Element, item: Item) -> None:
    shown = [name for name, _ in _feedback(item)]
    chosen = item.question.kind == "choice"
    if not shown:
        return
    outcome = names.add(rules, "setOutcomeValue", identifier="FEEDBACK")
    several = names.add(outcome, "multiple")
    if chosen:
        names.add(several, "variable", identifier="RESPONSE")
    for name in shown:
        if not chosen or name == EXPLANATION:
            names.add(several, "baseValue", name, baseType="identifier")


def _set(names: Names, rules: etree._Element, outcome: str, name: str) -> None:
    names.add(names.add(rules, "setOutcomeValue", identifier=outcome), name, identifier="RESPONSE")
