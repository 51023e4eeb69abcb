"""One QTI item as an item of ours: its interaction gives the kind, its correct response the key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from quizzes.formats import build
from quizzes.formats.build import Built
from quizzes.formats.drafts import Line
from quizzes.formats.findings import MAXIMUM_PARTS, Findings
from quizzes.formats.html import PictureName
from quizzes.formats.qti_tree import SUPPORTED, UNIT, convert, interactions
from quizzes.formats.xml_tree import Document, Element, words

FEEDBACK_FOR_ALL = frozenset({"explanation", "general", "solution", "general_fb"})
"""Names of a feedback that speaks of the item as a whole."""
FEEDBACK_FOR_ANSWER = "rationale"
_TEMPLATES = ("match_correct", "map_response")
_ORDINARY_SCORES = frozenset({"0", "0.0", "1", "1.0"})
_ORDINARY_RULES = words(
    "baseValue correct equal isNull mapResponse match not responseCondition responseElse responseIf setOutcomeValue "
    "stringMatch variable"
)
_LEFT_OUT = ("stylesheet", "companionMaterialsInfo", "catalogInfo", "apipAccessibility")
_CASE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Stimulus:
    """A text that several items share, and its name in the file."""

    name: str
    text: str


FindStimulus = Callable[[str], Stimulus | None]
"""Returns the stimulus at an address of the package, or None where there is none."""


class RefusalError(Exception):
    """Why an item cannot come, and where."""

    def __init__(self, place: Element, sentence: str) -> None:
        super().__init__(sentence)
        self.place, self.sentence = place, sentence


@dataclass(frozen=True)
class Surroundings:
    """What an item of a package finds around it: its category, pictures and stimuli; a file by itself finds none."""

    category: str = ""
    picture: PictureName = lambda _address: None
    stimulus: FindStimulus = lambda _address: None


def read_item(document: Document, root: Element, findings: Findings, around: Surroundings | None = None) -> None:
    """Read one normalised ``assessmentItem`` into ``findings``, as an item or as an error."""
    item = _Item(root, findings, around or Surroundings())
    try:
        built = item.read()
    except RefusalError as refused:
        findings.add("error", refused.place, refused.sentence, document.raw(root))
        return
    made, found = built
    if made is not None and item.case:
        question = replace(made.item.question, case=item.case.name, stimulus=item.case.text)
        made = replace(made, item=replace(made.item, question=question))
    findings.take(root, document, (made, found))


@dataclass
class _Item:
    """One item while it is read."""

    root: Element
    findings: Findings
    around: Surroundings
    case: Stimulus | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    explanation: str = ""
    interaction: Element = field(default_factory=lambda: Element("", {}))
    declaration: Element = field(default_factory=lambda: Element("", {}))

    def read(self) -> Built:
        """Return what the item makes; raise RefusalError where it cannot be one of ours."""
        body = self._body()
        self.interaction = self._interaction(body)
        self.declaration = self._declaration()
        self._read_stimulus(body)
        self._read_feedback(body)
        for element in self.root.elements(*_LEFT_OUT):
            self.findings.add("loss", element, f"<{element.name}> is left out.")
        self._check_processing()
        return _READERS[self.interaction.name](self)

    def _body(self) -> Element:
        if sum(1 for _ in self.root.walk()) > MAXIMUM_PARTS:
            raise RefusalError(self.root, f"The item has more than {MAXIMUM_PARTS} parts; it is not read.")
        if self.root.get("adaptive") == "true":
            raise RefusalError(self.root, "An adaptive item goes on after an answer; Archway has none such.")
        template = self.root.find("templateDeclaration", "templateProcessing") or next(
            self.root.walk("printedVariable", "templateBlock", "templateInline"), None
        )
        if template is not None:
            raise RefusalError(template, "The item is a template with variables; write an item for each set of values.")
        body = self.root.find("itemBody")
        if body is None:
            raise RefusalError(self.root, "The item has no body; there is nothing to ask.")
        return body

    def _interaction(self, body: Element) -> Element:
        found = interactions(body)
        if not found:
            raise RefusalError(body, "The item has no interaction; there is nothing to answer.")
        if len(found) > 1:
            names = ", ".join(dict.fromkeys(one.name for one in found))[:200]
            raise RefusalError(
                found[1], f"The item has {len(found)} interactions ({names}); make each an item by itself."
            )
        if found[0].name not in SUPPORTED:
            raise RefusalError(found[0], f"Archway has no <{found[0].name[:60]}>; this item cannot come.")
        return found[0]

    def _declaration(self) -> Element:
        wanted = self.interaction.get("responseIdentifier")
        for declaration in self.root.elements("responseDeclaration"):
            if declaration.get("identifier") == wanted:
                return declaration
        raise RefusalError(self.interaction, f"No <responseDeclaration> is named “{wanted[:60]}”, so there is no key.")

    def _read_stimulus(self, body: Element) -> None:
        for block in body.walk("rubricBlock"):
            if self.case is None and "candidate" in (block.get("view") or "candidate").split():
                text = self._convert("shared text", block, one_line=False)
                name = block.get("id").removeprefix("case-")
                self.case = Stimulus(name if _CASE.fullmatch(name) else case_name(text), text) if text else None
            else:
                self.findings.add(
                    "loss", block, "A <rubricBlock> is left out; it is not for candidates, or a second one."
                )
        for reference in self.root.elements("assessmentStimulusRef"):
            found = self.around.stimulus(reference.get("href"))
            if found is None or self.case is not None:
                sentence = (
                    f"The stimulus “{reference.get('href')[:100]}” is left out; it is not in the file, or a second one."
                )
                self.findings.add("loss", reference, sentence)
            else:
                self.case = found

    def _read_feedback(self, body: Element) -> None:
        """Sort feedback by what it speaks of: an answer, the item, or something that we do not have."""
        for feedback in [*self.root.elements("modalFeedback"), *body.walk("feedbackInline", "feedbackBlock")]:
            text, name = self._convert("feedback", feedback), feedback.get("identifier")
            if feedback.get("showHide") == "hide":
                self.findings.add("loss", feedback, "Feedback for all but one answer is left out.")
            elif name in FEEDBACK_FOR_ALL and not self.explanation:
                self.explanation = text
            elif name and text:
                self.reasons[name] = f"{self.reasons[name]} {text}" if name in self.reasons else text

    def _check_processing(self) -> None:
        """Name what decides about the score apart from the correct response."""
        processing = self.root.find("responseProcessing")
        if processing is None:
            self.findings.add("note", self.root, "The item says nothing of scoring; its correct response is the key.")
            return
        template = processing.get("template").rpartition("/")[2].removesuffix(".xml")
        known = re.sub(r"^CC2_|_.*_$", "", template) in _TEMPLATES
        if template and not known:
            self.findings.add(
                "loss", processing, f"The scoring template “{template[:80]}” is left out; the key alone counts."
            )
        elif not template and not _is_ordinary(processing):
            self.findings.add("loss", processing, "The item's own rules of scoring are left out; the key alone counts.")

    @property
    def start(self) -> tuple[int, int, int, str]:
        """What every builder begins with: the item's number, its line and column, and its name."""
        return self.findings.start(self.root, self.root.get("identifier") or self.root.get("title"))

    def stem(self) -> str:
        """Return what the body asks, the interaction's prompt at its place."""
        body = self.root.find("itemBody")
        return self._convert("stem", body, one_line=False) if body is not None else ""

    def _convert(self, part: str, place: Element, *, one_line: bool = True) -> str:
        return convert(self.findings, part, place, self.around.picture, one_line=one_line)

    def text_of(self, choice: Element) -> str:
        """Return the words of a choice."""
        return self._convert("choice", choice)

    def choices(self, name: str) -> list[Element]:
        """Return the choices of the interaction, by the name of their element."""
        return list(self.interaction.walk(name))

    def option(self, choice: Element, *, correct: bool, target: str = "") -> Line:
        """Return a choice as an option with its rationale, or as a pair."""
        reason = self.reasons.pop(choice.get("identifier"), "")
        return build.option(self.text_of(choice), correct, reason, choice.line, target)

    def correct(self) -> list[str]:
        """Return the values of the correct response, or those that the mapping rewards where there is none."""
        given = self.declaration.find("correctResponse")
        values = [one.text().strip() for one in given.elements("value")] if given is not None else []
        weights = dict(self.mapping())
        rewarded = [key for key, value in weights.items() if value > 0]
        if not values and rewarded:
            sentence = "There is no correct response; what the mapping rewards is taken for it."
            self.findings.add("note", self.declaration, sentence)
            return rewarded
        if not values:
            raise RefusalError(self.declaration, "The item has no correct response, so there is no key.")
        if rewarded and self.declaration.get("baseType") == "identifier" and not set(rewarded) & set(values):
            sentence = "The mapping rewards none of the correct response, so one of them is wrong; correct it."
            raise RefusalError(self.declaration, sentence)
        if rewarded and self.declaration.get("baseType") == "identifier" and set(rewarded) != set(values):
            sentence = "The mapping rewards other choices than the correct response; the correct response is the key."
            self.findings.add("loss", self.declaration, sentence)
        return values

    def mapping(self) -> Iterator[tuple[str, Decimal]]:
        """Yield what the mapping says that each value is worth."""
        mapping = self.declaration.find("mapping")
        for entry in mapping.elements("mapEntry") if mapping is not None else ():
            value = _decimal(entry.get("mappedValue"))
            yield entry.get("mapKey"), value or Decimal(0)

    def name_weights(self, right: list[str], wrong: list[str]) -> None:
        """Name a mapping that does not give the credit that Archway gives: of n right ones 1/n each, less the wrong."""
        mapping, weights = self.declaration.find("mapping"), dict(self.mapping())
        if mapping is None:
            return
        default = _decimal(mapping.get("defaultValue") or "0") or Decimal(0)
        unit = weights.get(right[0], default)
        # One choice that is wrong costs nothing anywhere; of several, each costs what a right one earns.
        ours = [weights.get(one, default) == unit for one in right]
        ours += [
            weights.get(one, default) == -unit or len(right) == 1 >= abs(weights.get(one, default)) for one in wrong
        ]
        upper = _decimal(mapping.get("upperBound") or "1")
        lower = _decimal(mapping.get("lowerBound") or "0")
        if (
            not all(ours)
            or unit <= 0
            or lower != 0
            or upper is None
            or abs(upper - unit * len(right)) > Decimal("0.001")
        ):
            self.findings.add(
                "loss", mapping, "The weights of the mapping are left out; credit follows Archway's own rule."
            )

    def name_unused_feedback(self) -> None:
        """Name feedback that belongs to no answer."""
        for name in self.reasons:
            self.findings.add("loss", self.root, f"The feedback “{name[:60]}” is left out; it belongs to no answer.")

    def answer_reason(self) -> str:
        """Return the rationale of an answer that is typed."""
        return self.reasons.pop(FEEDBACK_FOR_ANSWER, "")


def case_name(text: str) -> str:
    """Return a name for a shared text that has none: the same for the same text."""
    return f"case-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _is_ordinary(processing: Element) -> bool:
    """Return whether the score comes of nothing but the correct response, or what the mapping says."""
    deciding = list(_deciding(processing))
    if any(one.name == "not" and one.find("isNull") is None for one in deciding):
        return False
    literals = {one.text().strip() for one in deciding if one.name == "baseValue"}
    known = {"correct", "mapResponse"} & {one.name for one in deciding}
    return bool(known) and literals <= _ORDINARY_SCORES and all(one.name in _ORDINARY_RULES for one in deciding)


def _deciding(rules: Element) -> Iterator[Element]:
    """Yield the elements of the rules, without those that set another outcome than the score."""
    for one in rules.elements():
        if one.name != "setOutcomeValue" or one.get("identifier") == "SCORE":
            yield one
            yield from _deciding(one)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal("1e15") else None


def _read_choice(item: _Item) -> Built:
    name = "inlineChoice" if item.interaction.name == "inlineChoiceInteraction" else "simpleChoice"
    choices, correct = item.choices(name), item.correct()
    known = [one.get("identifier") for one in choices]
    if set(correct) - set(known):
        raise RefusalError(
            item.declaration, f"The key names “{min(set(correct) - set(known))[:60]}”, which is no choice."
        )
    _check_numbers(item, correct)
    item.name_weights(correct, [one for one in known if one not in correct])
    options = [item.option(one, correct=one.get("identifier") in correct) for one in choices]
    item.name_unused_feedback()
    return build.choice(
        *item.start,
        item.stem(),
        options,
        explanation=item.explanation,
        category=item.around.category,
        fixed=_is_fixed(item, choices),
    )


def _check_numbers(item: _Item, correct: list[str]) -> None:
    """Compare how many may be chosen with how many are right."""
    most = item.interaction.get("maxChoices") or "1"
    if item.interaction.name == "inlineChoiceInteraction" or not most.isdecimal() or len(most) > 4:
        return
    if 0 < int(most) < len(correct):
        raise RefusalError(item.interaction, f"{len(correct)} choices are right, but only {most} may be chosen.")
    if int(most) != len(correct):
        allowed = "any number" if most == "0" else most
        sentence = f"{allowed} may be chosen there; Archway asks for exactly {len(correct)}."
        item.findings.add("note", item.interaction, sentence.capitalize().replace("archway", "Archway"))


def _is_fixed(item: _Item, choices: list[Element]) -> bool:
    if item.interaction.get("shuffle") != "true":
        return True
    fixed = [one for one in choices if one.get("fixed") == "true"]
    if fixed:
        item.findings.add("note", fixed[0], "Some choices keep their place, so all of them do.")
    return bool(fixed)


def _read_order(item: _Item) -> Built:
    choices = {one.get("identifier"): one for one in item.choices("simpleChoice")}
    order = item.correct()
    if set(order) != set(choices) or len(order) != len(choices):
        raise RefusalError(item.declaration, "The key does not put every choice into its place once.")
    steps = [item.option(choices[one], correct=True) for one in order]
    item.name_unused_feedback()
    return build.ordering(*item.start, item.stem(), steps, explanation=item.explanation, category=item.around.category)


def _read_pairs(item: _Item) -> Built:
    pairs = [tuple(one.split()) for one in item.correct()]
    choices = {one.get("identifier"): one for one in item.choices("simpleAssociableChoice")}
    left, right = _sides(item, list(choices), pairs)
    if not {*left, *right} <= set(choices):
        raise RefusalError(item.declaration, "The key names something that is no choice.")
    if any(len(pair) != 2 for pair in pairs) or sorted(pair[0] for pair in pairs) != sorted(left):
        raise RefusalError(item.declaration, "The key does not give every line of the first set one partner.")
    partners = {pair[0]: pair[1] for pair in pairs}
    if not set(partners.values()) <= set(right):
        raise RefusalError(item.declaration, "The key names a partner that is not in the second set.")
    texts = {one: item.text_of(choices[one]) for one in right}
    lines = [item.option(choices[one], correct=True, target=texts[partners[one]]) for one in left]
    spare = [one for one in right if one not in partners.values()]
    alone = [build.option("", True, "", choices[one].line, texts[one]) for one in spare]
    item.name_unused_feedback()
    return build.matching(
        *item.start,
        item.stem(),
        [*lines, *alone],
        explanation=item.explanation,
        category=item.around.category,
        fixed=item.interaction.get("shuffle") != "true",
    )


def _sides(item: _Item, choices: list[str], pairs: list[tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """Return the identifiers of the two sets; of an association, the first of each pair and all others."""
    sets = list(item.interaction.elements("simpleMatchSet"))
    if item.interaction.name == "associateInteraction":
        sentence = "There, any two may be joined; Archway asks for the partners of the first of each pair."
        item.findings.add("loss", item.interaction, sentence)
        left = [pair[0] for pair in pairs if pair]
        return left, [one for one in choices if one not in left]
    if len(sets) != 2:
        raise RefusalError(item.interaction, "A <matchInteraction> has two sets; this one has not.")
    first, second = ([one.get("identifier") for one in part.elements("simpleAssociableChoice")] for part in sets)
    return first, second


def _read_typed(item: _Item) -> Built:
    if item.declaration.get("baseType") in ("float", "integer"):
        return _read_number(item)
    values = item.correct()
    reason = item.answer_reason()
    for key, value in item.mapping():
        if value > 0 and key not in values:
            best = max((weight for _, weight in item.mapping()), default=value)
            if value == best:
                values.append(key)
            else:
                sentence = f"The spelling “{key[:80]}” earns a part ({value}) there; it is left out."
                item.findings.add("loss", item.declaration, sentence)
    mapping = item.declaration.find("mapping")
    entries = mapping.elements("mapEntry") if mapping is not None else ()
    if any(one.get("caseSensitive") == "true" for one in entries):
        item.findings.add("loss", item.declaration, "Capitals count in this item; Archway takes either.")
    item.name_unused_feedback()
    return build.short_text(
        *item.start,
        item.stem(),
        [" ".join(one.split()) for one in values],
        rationale=reason,
        explanation=item.explanation,
        category=item.around.category,
    )


def _read_number(item: _Item) -> Built:
    values = item.correct()
    value = _decimal(values[0])
    if value is None or len(values) > 1:
        raise RefusalError(item.declaration, "The correct response must be one number.")
    reason = item.answer_reason()
    item.name_unused_feedback()
    return build.numeric(
        *item.start,
        item.stem(),
        f"{value:f}",
        tolerance=_tolerance(item),
        unit=next((one.text().strip() for one in item.root.walk("span") if one.get("class") == UNIT), ""),
        rationale=reason,
        explanation=item.explanation,
        category=item.around.category,
    )


def _tolerance(item: _Item) -> str:
    """Return how far the number may be off, as the item's rule of equality says."""
    rules = item.root.find("responseProcessing")
    equal = next(rules.walk("equal"), None) if rules is not None else None
    mode = equal.get("toleranceMode") if equal is not None else "exact"
    if equal is None or mode not in ("absolute", "relative"):
        return ""
    bounds = [_decimal(one) for one in equal.get("tolerance").split()[:2]]
    known = [abs(one) for one in bounds if one is not None]
    if not known or len(known) != len(bounds) or known[0] != known[-1]:
        item.findings.add("loss", equal, "The tolerance is left out; Archway has one number for both sides.")
        return ""
    return f"{known[0]:f}" + (" %" if mode == "relative" else "") if known[0] else ""


_READERS: dict[str, Callable[[_Item], Built]] = {
    "choiceInteraction": _read_choice,
    "inlineChoiceInteraction": _read_choice,
    "orderInteraction": _read_order,
    "matchInteraction": _read_pairs,
    "associateInteraction": _read_pairs,
    "textEntryInteraction": _read_typed,
}
