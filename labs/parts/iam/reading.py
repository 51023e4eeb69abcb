"""A policy's text → the policy, or all its faults, each with its place."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labs.parts.iam.conditions import NULL, OPERATORS, Condition, Quantifier
from labs.parts.iam.patterns import Arn, Pattern, TemplateError, read_arn, read_template, resolve
from labs.parts.iam.policies import Effect, Kind, Policy, Statement
from labs.parts.iam.principals import ACCOUNT, ROOT, Principals
from labs.parts.json_document import Document, SyntaxFaultError, Where, json_path, parse, place
from labs.parts.states.payload import Json

MOST_CHARACTERS = 1_048_576
MOST_FAULTS = 100
LONGEST_TOLD = 60
VERSIONS = ("2012-10-17", "2008-10-17")
EFFECTS = ("Allow", "Deny")

_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[A-Za-z0-9+=,.@_/:-]+")
_POLICY_ELEMENTS = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS = (
    *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"),
)
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated")
_OPERATOR = re.compile(
    rf"(?:(?P<quantifier>{'|'.join(one.value for one in Quantifier)}):)?"
    rf"(?P<name>{'|'.join(OPERATORS)})(?P<if_exists>(?<!{NULL})IfExists)?"
)
_WANTED = {
    "Numeric": "a number",
    "Date": "a time, such as 2018-02-01T00:00:00Z",
    "Ip": "an address or a range of them, such as 203.0.113.0/24",
    "NotIp": "an address or a range of them, such as 203.0.113.0/24",
    "Binary": "a text in base64",
    "": "true or false",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong: line and column from 1, the way to the element as a JSON path, and what to do."""

    line: int
    column: int
    path: str
    sentence: str


@dataclass(frozen=True)
class Reading:
    """What a text comes to: a policy, or None and its faults."""

    policy: Policy | None
    faults: tuple[Fault, ...]


def read(text: str, kind: Kind) -> Reading:
    """Return the policy in a text, or its faults, at most 100 of them. Takes time linear in the text."""
    if len(text) > MOST_CHARACTERS or sum(map(len, text.split())) > kind.quota:
        return Reading(None, (Fault(1, 1, "$", _too_long(kind)),))
    try:
        document = parse(text)
    except SyntaxFaultError as error:
        return Reading(None, (Fault(*place(text, error.offset), json_path(error.where), error.sentence),))
    return read_at(document, (), kind)


def read_at(document: Document, where: Where, kind: Kind) -> Reading:
    """Return the policy that is the value at ``where`` in a document, or its faults, at most 100 of them.

    Lines and columns are those of the whole document.
    """
    reader, policy = _Reader(document, kind), None
    with contextlib.suppress(_EnoughFaultsError):
        policy = reader.policy(where)
    faults = [
        Fault(*place(document.text, offset), json_path(twice), f"{_told(twice[-1])} stands twice here; keep one.")
        for twice, offset in document.repeated
        if twice[: len(where)] == where
    ] + [Fault(*place(document.text, document.offset(at)), json_path(at), sentence) for at, sentence in reader.faults]
    faults.sort(key=lambda fault: (fault.line, fault.column))
    return Reading(None if faults else policy, tuple(faults[:MOST_FAULTS]))


def _too_long(kind: Kind) -> str:
    return f"This {kind.title} has more than {kind.quota:,} characters, the service's quota; shorten it."


def _told(value: Json) -> str:
    text = value if isinstance(value, str) else str(type(value).__name__)
    return f"“{text if len(text) <= LONGEST_TOLD else text[: LONGEST_TOLD - 1] + '…'}”"


def _known(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:LONGEST_TOLD], names, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}."


class _EnoughFaultsError(Exception):
    """Enough faults were found; the rest is not looked for."""


@dataclass
class _Reader:
    document: Document
    kind: Kind
    faults: list[tuple[Where, str]] = field(default_factory=list)
    variables: bool = False

    def policy(self, where: Where) -> Policy:
        """Read the policy at a place of the document; what has faults is left out of it."""
        whole = self.document.at(where)
        if len(json.dumps(whole, separators=(",", ":"), ensure_ascii=False)) > self.kind.quota:
            self._fault(where, _too_long(self.kind))
            raise _EnoughFaultsError
        value = self._object(whole, where, _POLICY_ELEMENTS, "A policy")
        version = value.get("Version", VERSIONS[-1])
        if version not in VERSIONS:
            self._fault(
                (*where, "Version"), f"Version is “{VERSIONS[0]}”; it names the language, not the day of writing."
            )
        # In the older language a variable is text as it stands (IAM user guide, "Policy variables").
        self.variables = version == VERSIONS[0]
        if "Statement" not in value:
            self._fault(where, "A policy has no Statement; add one.")
        found, where = value.get("Statement", []), (*where, "Statement")
        if not isinstance(found, list):
            return Policy(self.kind, (self._statement(found, where, 1),))
        statements = tuple(self._statement(one, (*where, at), at + 1) for at, one in enumerate(found))
        self._distinct(statements, where)
        return Policy(self.kind, statements)

    def _distinct(self, statements: Iterable[Statement], where: Where) -> None:
        seen: set[str] = set()
        for at, statement in enumerate(statements):
            if statement.sid in seen:
                self._fault((*where, at, "Sid"), f"Another statement has the Sid {_told(statement.sid)} too.")
            seen |= {statement.sid} - {""}

    def _fault(self, where: Where, sentence: str) -> None:
        self.faults.append((where, sentence))
        if len(self.faults) >= MOST_FAULTS:
            raise _EnoughFaultsError

    def _object(self, value: Json, where: Where, names: Collection[str], what: str) -> dict[str, Json]:
        if not isinstance(value, dict):
            self._fault(where, f"{what} is an object; write it in braces.")
            return {}
        for name in value:
            if names and name not in names:
                self._fault((*where, name), f"{what} has no element {_told(name)}; {_known(name, names)}")
        return value

    def _statement(self, value: Json, where: Where, number: int) -> Statement:
        found = self._object(value, where, _STATEMENT_ELEMENTS, "A statement")
        effect = found.get("Effect")
        if effect not in EFFECTS:
            self._fault((*where, "Effect"), "A statement has the Effect “Allow” or “Deny”.")
        actions, not_actions = self._actions(found, where)
        resources, not_resources = self._resources(found, where)
        conditions = self._conditions(found.get("Condition", {}), (*where, "Condition"))
        return Statement(
            effect=Effect.DENY if effect == "Deny" else Effect.ALLOW,
            actions=actions,
            sid=self._sid(found.get("Sid", ""), (*where, "Sid")),
            not_actions=not_actions,
            resources=resources,
            not_resources=not_resources,
            principals=self._principals(found, where),
            conditions=conditions,
            number=number,
            line=place(self.document.text, self.document.offset(where))[0],
        )

    def _sid(self, value: Json, where: Where) -> str:
        if isinstance(value, str) and (self.kind is Kind.RESOURCE or _SID.fullmatch(value)):
            return value
        self._fault(where, "A Sid is a text of letters and digits without spaces.")
        return ""

    def _either(self, found: dict[str, Json], where: Where, name: str) -> tuple[str, bool]:
        """Return which of a name and its opposite stands, and whether it is the opposite; one of them has to."""
        negated = f"Not{name}" in found
        if negated == (name in found):
            self._fault(where, f"A statement has either {name} or Not{name}; write one of them.")
        return f"Not{name}" if negated else name, negated

    def _texts(self, value: Json, where: Where) -> Iterator[tuple[str, Where]]:
        """Yield each text of a text or an array of them, with its place."""
        listed = value if isinstance(value, list) else [value]
        if not listed:
            self._fault(where, f"{where[-1]} is empty; write at least one text.")
        for at, one in enumerate(listed):
            place_of_it = (*where, at) if isinstance(value, list) else where
            if isinstance(one, str):
                yield one, place_of_it
            else:
                self._fault(place_of_it, f"{where[-1]} is a text or an array of texts.")

    def _actions(self, found: dict[str, Json], where: Where) -> tuple[tuple[Pattern, ...], bool]:
        name, negated = self._either(found, where, "Action")
        patterns = []
        for text, at in self._texts(found.get(name, "*"), (*where, name)):
            if not _ACTION.fullmatch(text):
                self._fault(at, f"{_told(text)} is no action; write the service, a colon and a name: s3:GetObject.")
            patterns.append(resolve(read_template(_without_variables(text.lower())), {}) or ())
        return tuple(patterns), negated

    def _resources(self, found: dict[str, Json], where: Where) -> tuple[tuple[Arn, ...], bool]:
        if self.kind is Kind.TRUST:
            for name in found.keys() & {"Resource", "NotResource"}:
                self._fault((*where, name), f"A trust policy has no {name}: it stands on the role that it is about.")
            return (), False
        name, negated = self._either(found, where, "Resource")
        arns = []
        for text, at in self._texts(found.get(name, "*"), (*where, name)):
            try:
                arns.append(() if text == "*" else read_arn(self._in_the_language(text)))
            except TemplateError as error:
                self._fault(at, f"{_told(text)} is no resource. {error} An asterisk alone is every resource.")
        return tuple(arns), negated

    def _in_the_language(self, text: str) -> str:
        return text if self.variables else _without_variables(text)

    def _principals(self, found: dict[str, Json], where: Where) -> Principals | None:
        if self.kind is Kind.IDENTITY:
            for name in found.keys() & {"Principal", "NotPrincipal"}:
                self._fault((*where, name), f"An identity policy has no {name}: it is about whom it is attached to.")
            return None
        name, negated = self._either(found, where, "Principal")
        value, where = found.get(name, "*"), (*where, name)
        if value == "*":
            return Principals(everyone=True, negated=negated)
        named: dict[str, list[str]] = {one: [] for one in _PRINCIPAL_TYPES}
        for kind, members in self._object(value, where, _PRINCIPAL_TYPES, name).items():
            for text, at in self._texts(members, (*where, kind)):
                if kind == "AWS" and not _is_principal(text):
                    self._fault(
                        at, f"{_told(text)} is no principal; write an account, the ARN of a user or a role, or *."
                    )
                named.setdefault(kind, []).append(text)
        aws = frozenset(named["AWS"])
        accounts = {text: ACCOUNT.fullmatch(text) or ROOT.fullmatch(text) for text in aws}
        return Principals(
            everyone="*" in aws,
            accounts=frozenset(found[found.lastindex or 0] for found in accounts.values() if found),
            arns=frozenset(text for text, found in accounts.items() if not found),
            services=frozenset(named["Service"]),
            federated=frozenset(named["Federated"]),
            negated=negated,
        )

    def _conditions(self, value: Json, where: Where) -> tuple[Condition, ...]:
        conditions = []
        for name, keys in self._object(value, where, (), "Condition").items():
            operator = _OPERATOR.fullmatch(name)
            if not operator:
                self._fault((*where, name), f"There is no operator {_told(name)}; {_known(name, tuple(OPERATORS))}")
                continue
            for key, values in self._object(keys, (*where, name), (), name).items():
                conditions.append(
                    Condition(
                        operator["name"],
                        key.lower(),
                        tuple(self._values(operator["name"], values, (*where, name, key))),
                        Quantifier(operator["quantifier"]) if operator["quantifier"] else None,
                        if_exists=bool(operator["if_exists"]),
                    )
                )
        return tuple(conditions)

    def _values(self, operator: str, value: Json, where: Where) -> Iterator[Any]:
        listed = value if isinstance(value, list) else [value]
        for text, at in self._texts([_as_text(one) for one in listed], where):
            try:
                yield OPERATORS[operator].read(self._in_the_language(text))
            except TemplateError as error:
                self._fault(at if isinstance(value, list) else where, str(error))
            except ValueError:
                wanted = next(words for prefix, words in _WANTED.items() if operator.startswith(prefix))
                told = f"{operator} cannot compare with {_told(text)}; write {wanted}."
                self._fault(at if isinstance(value, list) else where, told)


def _as_text(value: Json) -> Json:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _without_variables(text: str) -> str:
    """Return the text with each ``${`` written so that no variable begins there."""
    return text.replace("${", "${$}{")


def _is_principal(text: str) -> bool:
    return text == "*" or bool(ACCOUNT.fullmatch(text) or _PRINCIPAL_ARN.fullmatch(text))
