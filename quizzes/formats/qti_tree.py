"""QTI's trees under one set of names: those of 2.1 and 2.2, which those of 3.0 are turned into."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quizzes.formats.findings import MAXIMUM_HTML, Findings
from quizzes.formats.html import PictureName, from_elements
from quizzes.formats.xml_tree import Element, words

BLANK = "_____"
"""Stands in a stem where the answer is written or chosen."""
ANSWER_LINE, UNIT = "answer-line", "answer-unit"
"""Classes of the paragraph that holds no more than a place to write, and of the unit within it."""
UNSUPPORTED = words(
    "customInteraction drawingInteraction endAttemptInteraction extendedTextInteraction gapMatchInteraction "
    "graphicAssociateInteraction graphicGapMatchInteraction graphicOrderInteraction hotspotInteraction "
    "hottextInteraction mediaInteraction portableCustomInteraction positionObjectInteraction "
    "positionObjectStage selectPointInteraction sliderInteraction uploadInteraction"
)
SUPPORTED = words(
    "associateInteraction choiceInteraction inlineChoiceInteraction matchInteraction orderInteraction "
    "textEntryInteraction"
)
_INLINE = frozenset({"inlineChoiceInteraction", "textEntryInteraction"})
_FEEDBACK = frozenset({"feedbackBlock", "feedbackInline", "rubricBlock", "templateBlock", "templateInline"})
_HYPHEN = re.compile(r"-([a-z])")


def normalise(element: Element) -> Element:
    """Give a tree of QTI 3.0 the names of 2.1, in place; other trees stay as they are."""
    if element.name.startswith("qti-"):
        element.name = _camel(element.name.removeprefix("qti-"))
        element.attributes = {
            name if name.startswith(("data-", "aria-")) else _camel(name): value
            for name, value in element.attributes.items()
        }
    for child in element.elements():
        normalise(child)
    return element


def _camel(name: str) -> str:
    return _HYPHEN.sub(lambda found: found[1].upper(), name)


def interactions(body: Element) -> list[Element]:
    """Return every interaction within an item's body; one that is not named by QTI is told by its name."""
    return [one for one in body.walk() if one.name in SUPPORTED | UNSUPPORTED or one.name.endswith("Interaction")]


def shown(children: Iterable[Element | str]) -> list[Element | str]:
    """Return a body as it is read: a blank for an inline interaction, the prompt for any other, no feedback."""
    kept: list[Element | str] = []
    for child in children:
        if isinstance(child, str):
            kept.append(child)
        elif child.name in _INLINE:
            kept.append(BLANK)
        elif child.name.endswith("Interaction"):
            prompt = child.find("prompt")
            kept.append(Element("div", {}, children=shown(prompt.children) if prompt is not None else []))
        elif child.name not in _FEEDBACK and child.get("class") != ANSWER_LINE:
            name = "div" if child.name == "contentBody" else child.name
            kept.append(Element(name, child.attributes, child.line, child.column, shown(child.children)))
    return kept


def convert(findings: Findings, part: str, place: Element, picture: PictureName, *, one_line: bool = True) -> str:
    """Return the content of an element as Markdown, and keep in ``findings`` what that loses."""
    nodes = shown(place.children)
    if sum(len(one) if isinstance(one, str) else len(one.text()) for one in nodes) > MAXIMUM_HTML:
        findings.add("loss", place, f"The {part} is longer than {MAXIMUM_HTML} characters; it is left out.")
        return ""
    return findings.converted(part, place, from_elements(nodes, one_line=one_line, picture=picture))
