"""Policies: every documented case, generated cases beside another evaluator, faults with their places, hostile texts.

The recorded answers to the generated cases are those of the npm package @cloud-copilot/iam-simulate 0.1.173: its
function runSimulation was given each case as it stands, and a bit says whether overallResult was "Allowed". Nothing of
that package is here. Where the two differ, the documentation decided, and ``argued`` says how.
"""

from __future__ import annotations

import base64
import json
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from labs.parts.iam import Caller, CallerKind, Decision, Kind, Policies, Policy, Reason, Request, decide, read, read_at
from labs.parts.json_document import parse
from tests.labs.policies.generated import OWN, ROLE, SESSION, USER, cases, fingerprint

DATA = Path(__file__).parent / "policies"
CALLERS = {
    "role": Caller(CallerKind.ROLE, SESSION, OWN, ROLE),
    "user": Caller(CallerKind.USER, USER, OWN),
    "root": Caller(CallerKind.ROOT, f"arn:aws:iam::{OWN}:root", OWN),
    "service": Caller(CallerKind.SERVICE, "ec2.amazonaws.com"),
    "anonymous": Caller(CallerKind.ANONYMOUS),
}
DOCUMENTED = tomllib.loads((DATA / "cases.toml").read_text("utf-8"))["cases"]
LONGEST = 0.1
"""Seconds of processor time within which a hostile text is answered."""


def policy(document: Any, kind: Kind = Kind.IDENTITY) -> Policy | None:
    if document is None:
        return None
    reading = read(json.dumps(document), kind)
    assert reading.policy, reading.faults
    return reading.policy


def statements(*found: Any, version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(found)}


def keys(context: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key.lower(): tuple(value) if isinstance(value, list) else (value,) for key, value in context.items()}


def decide_case(case: dict[str, Any]) -> Decision:
    """Decide a case whose policies are documents."""
    trust = case.get("trust", case["action"] == "sts:AssumeRole" and case["resource_policy"] is not None)
    found = Policies(
        {f"policy {at}": one for at, text in enumerate(case["identity"]) if (one := policy(text))},
        policy(case["boundary"]),
        policy(case["session"]),
        policy(case["resource_policy"], Kind.TRUST if trust else Kind.RESOURCE),
        trust=trust,
    )
    request = Request(case["caller"], case["action"], case["resource"], case["account"], keys(case["context"]))
    return decide(request, found)


@pytest.mark.parametrize("case", DOCUMENTED, ids=[case["name"] for case in DOCUMENTED])
def test_a_decision_is_as_documented(case: dict[str, Any]) -> None:
    def document(name: str) -> Any:
        return statements(*case[name], version=case.get("version", "2012-10-17")) if name in case else None

    decision = decide_case(
        {
            "caller": CALLERS[case.get("caller", "role")],
            "action": case.get("action", "s3:GetObject"),
            "resource": case.get("resource", "arn:aws:s3:::data/home/anna/a.csv"),
            "account": case.get("account", OWN),
            "context": case.get("context", {}),
            "trust": case.get("trust", False),
            "identity": [document("identity")],
            **{name: document(name) for name in ("boundary", "session", "resource_policy")},
        }
    )
    assert decision.allowed is case["allowed"], decision.sentence


def test_each_case_says_where_its_answer_is_documented() -> None:
    assert all(case["basis"] for case in DOCUMENTED)
    assert len({case["name"] for case in DOCUMENTED}) == len(DOCUMENTED)


@cache
def compared() -> list[tuple[dict[str, Any], Decision, bool]]:
    """Return the generated cases, each with our decision and the recorded answer."""
    found = cases()
    known, _, answers = (DATA / "recorded.txt").read_text().partition("\n")
    assert fingerprint(found) == known, "the cases changed; their answers have to be recorded anew"
    bits = int.from_bytes(base64.b64decode(answers), "big")
    callers = {SESSION: CALLERS["role"], USER: CALLERS["user"]}
    return [
        (case, decide_case({**case, "caller": callers[case["caller"]]}), bool(bits >> (len(found) - 1 - at) & 1))
        for at, case in enumerate(found)
    ]


def argued(case: dict[str, Any], decision: Decision) -> str:
    """Return the sentence of the documentation for which we differ from the recorded answer, empty where none is."""
    text = json.dumps(case)
    if case["session"] and decision.allowed and decision.reason is Reason.RESOURCE_POLICY:
        return "The resource-based policy permissions [of a session] are not limited by the session policy."
    if "2008-10-17" in text and "${" in text:
        return "In the language of 2008 variables are treated as literal strings."
    if "2001:db8::7" in text and "NotIpAddress" in text:
        return "NotIpAddress: all IP addresses except the specified address or range."
    return ""


@pytest.mark.full
def test_generated_decisions_agree_with_another_evaluator_or_the_documentation_is_on_our_side() -> None:
    found = compared()
    differing = Counter(argued(case, decision) for case, decision, allowed in found if decision.allowed != allowed)
    assert len(found) == 20_000
    assert differing[""] == 0
    assert differing.total() == 98
    assert sum(allowed for _, _, allowed in found) > 3_000


@pytest.mark.parametrize(
    ("document", "kind", "path", "told"),
    [
        ({"Statement": []}, Kind.TRUST, None, ""),
        ({"Version": "2012-10-18", "Statement": []}, Kind.IDENTITY, "$.Version", "2012-10-17"),
        ({"Version": "2012-10-17"}, Kind.IDENTITY, "$", "no Statement"),
        (
            statements({"Effect": "allow", "Action": "*", "Resource": "*"}),
            Kind.IDENTITY,
            "$.Statement[0].Effect",
            "Allow",
        ),
        (
            statements({"Effect": "Allow", "Resource": "*"}),
            Kind.IDENTITY,
            "$.Statement[0]",
            "either Action or NotAction",
        ),
        (statements({"Effect": "Allow", "Action": "*"}), Kind.IDENTITY, "$.Statement[0]", "either Resource"),
        (
            statements({"Effect": "Allow", "Action": "GetObject", "Resource": "*"}),
            Kind.IDENTITY,
            "$.Statement[0].Action",
            "s3:GetObject",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Resource": ["*", "data/*"]}),
            Kind.IDENTITY,
            "$.Statement[0].Resource[1]",
            "six parts",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username"}),
            Kind.IDENTITY,
            "$.Statement[0].Resource",
            "close it",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Ressource": "*", "Resource": "*"}),
            Kind.IDENTITY,
            "$.Statement[0].Ressource",
            "did you mean Resource",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}),
            Kind.IDENTITY,
            "$.Statement[0].Principal",
            "no Principal",
        ),
        (statements({"Effect": "Allow", "Action": "*", "Resource": "*"}), Kind.RESOURCE, "$.Statement[0]", "Principal"),
        (
            statements({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"}),
            Kind.TRUST,
            "$.Statement[0].Resource",
            "no Resource",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "anna"}}),
            Kind.RESOURCE,
            "$.Statement[0].Principal.AWS",
            "no principal",
        ),
        (
            statements({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEqual": {"a": "b"}}}),
            Kind.IDENTITY,
            "$.Statement[0].Condition.StringEqual",
            "did you mean StringEquals",
        ),
        (
            statements(
                {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"a": "300.1.1.1"}}}
            ),
            Kind.IDENTITY,
            "$.Statement[0].Condition.IpAddress.a",
            "an address",
        ),
        (
            statements(*2 * [{"Sid": "One", "Effect": "Allow", "Action": "*", "Resource": "*"}]),
            Kind.IDENTITY,
            "$.Statement[1].Sid",
            "too",
        ),
    ],
)
def test_a_fault_tells_its_place_and_what_to_do(document: Any, kind: Kind, path: str | None, told: str) -> None:
    reading = read(json.dumps(document), kind)
    assert (reading.policy is None) == bool(path)
    assert [fault.path for fault in reading.faults] == ([path] if path else [])
    assert all(told in fault.sentence for fault in reading.faults)


def test_a_policy_inside_a_greater_document_has_that_documents_lines() -> None:
    text = (
        '{\n"reader": {\n"Version": "2012-10-17",\n"Statement": {"Effect": "Allow",\n"Action": "%s", "Resource": "*"}}}'
    )
    faulty = read_at(parse(text % "s3"), ("reader",), Kind.IDENTITY)
    assert [(fault.line, fault.path) for fault in faulty.faults] == [(5, "$.reader.Statement.Action")]
    good = read_at(parse(text % "s3:*"), ("reader",), Kind.IDENTITY).policy
    assert good is not None
    assert good.statements[0].line == 4


def test_a_decision_tells_the_statement_that_decides() -> None:
    allow = {"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    deny = {"Sid": "NotThis", "Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}
    found = read(json.dumps(statements(allow, deny), indent=1), Kind.IDENTITY).policy
    assert found
    request = Request(CALLERS["user"], "s3:GetObject", "arn:aws:s3:::data/a", OWN)
    decision = decide(request, Policies({"mine": found}))
    assert [match.statement.name for match in decision.trail] == ["All", "NotThis"]
    assert decision.sentence.endswith("“mine”, NotThis at line 10, denies it.")


def test_a_policy_that_is_named_like_a_boundary_is_none() -> None:
    nothing, everything = (
        policy(statements({"Effect": "Allow", "Action": action, "Resource": "*"})) for action in ("iam:*", "*")
    )
    assert everything
    request = Request(CALLERS["user"], "s3:GetObject", "arn:aws:s3:::data/a", OWN)
    assert not decide(request, Policies({"permissions boundary": everything}, boundary=nothing)).allowed


def _statement(**changed: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", **changed}


def _least(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the quickest of three: what a busy machine adds least to."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "[" * 1_000_000,
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000,
        json.dumps(statements(*[_statement()] * 10_000)),
        "{" + ",".join(f'"key{at}":1' for at in range(80_000)) + "}",
        json.dumps(statements(_statement(Condition={f"StringEq{at}": 1 for at in range(900)}))),
        json.dumps(statements({f"Statemen{at}": 1 for at in range(1_000)})),
        json.dumps(statements(_statement(Resource="arn:aws:s3:::" + "${" * 9_000))),
        '{"Version": "\ud800"}',
    ],
    ids=lambda text: f"{text[:20]}…",
)
def test_a_hostile_text_is_refused_at_once(text: str) -> None:
    reading = read(text, Kind.RESOURCE)
    assert _least(lambda: read(text, Kind.RESOURCE)) < LONGEST
    assert reading.policy is None
    assert 1 <= len(reading.faults) <= 100


JUNK = (None, True, 7, -1.5, "", "x", "${", [], {}, [[]], [{}], {"a": {}}, {"a": None}, ["*", 7], "9" * 5_000, "\ud800")


def _spoilt(value: Any, random: Random) -> Any:
    """Return the value with something in it replaced by what does not belong there."""
    if random.random() < 0.15:
        return random.choice(JUNK)
    if isinstance(value, dict):
        return {key: _spoilt(one, random) for key, one in value.items()}
    return [_spoilt(one, random) for one in value] if isinstance(value, list) else value


def test_whatever_stands_in_a_policy_is_read_or_refused() -> None:
    random = Random(7)
    documents = [text for case in cases(400, 7) for text in (*case["identity"], case["resource_policy"]) if text]
    request = Request(CALLERS["role"], "s3:GetObject", "arn:aws:s3:::data/a", OWN, keys({"aws:SourceIp": "10.0.0.1"}))
    refused = 0
    for document in documents:
        for kind in Kind:
            found = read(json.dumps(_spoilt(document, random)), kind)
            assert (found.policy is None) == bool(found.faults)
            refused += found.policy is None
            decide(request, Policies(resource=found.policy))
    assert refused > len(documents)


@pytest.mark.parametrize(
    "resources",
    [
        ["a*" * 900 + "b"] * 10,
        ["*a" * 450 + "*" + "a?" * 90 + "b"] * 16,
        [f"*{'a?' * 220}b*{at}" for at in range(40)],
        [f"*{'a' * 450}b*{at}" for at in range(40)],
        [f"{'*?' * 220}b*{at}" for at in range(40)],
        ["${aws:userid}" * 1_400],
    ],
    ids=["a*", "*a", "a?", "aa", "*?", "variables"],
)
def test_a_hostile_pattern_is_answered_at_once(resources: list[str]) -> None:
    document = statements(_statement(Resource=[f"arn:aws:s3:::b/{one}" for one in resources]))
    context = {"aws:userid": ("a" * 1_000,)}
    request = Request(CALLERS["anonymous"], "s3:GetObject", f"arn:aws:s3:::b/{'a' * 1_000}", OWN, context)

    def answer() -> bool:
        return decide(request, Policies(resource=policy(document, Kind.RESOURCE))).allowed

    assert not answer()
    assert _least(answer) < LONGEST
