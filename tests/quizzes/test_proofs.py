"""Proofs: how they are written, what ``flask quizzes prove`` finds, and what the pages show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from labs import registry
from labs.experiments import Evidence
from labs.registry import Lab
from quizzes import blueprint, proofs, store
from quizzes.formats import markdown
from quizzes.questions import Item, item_of
from quizzes.sittings import Exams
from tests.conftest import MovableClock
from tests.labs.conftest import make_lab  # noqa: F401 (a fixture)
from tests.quizzes.conftest import Learner

LESSON = Path("content/courses/architectures/2-services-under-load/2-lambda-concurrency.md").resolve()
HEAD = "---\ntitle: Proofs\ncourse: c\npool: exam\n---\n"
TASK = f"**Task** 1.1 · **Difficulty** easy · **Lesson** [{LESSON.stem}]({LESSON}#the-parts)"
CHOICE = f"""
## p-1-001

{TASK}

How much is twice five?

- [ ] Six
  > Right for three.
  > **Finding** `double == 6`
- [x] Ten
  > Right: two fives.
  > **Finding** `double == 10`

**Proof** `small-lab number=5`

**Today** The same.
"""
NUMERIC = f"""
## p-1-002

{TASK} · **Kind** numeric

By how much is twice nine more than twice seven?

**Answer** 4 ± 0.5 things
> Eighteen less fourteen.
> **Finding** `nine.double - seven.double`

**Proof** nine `small-lab number=9 seed=1` ·
seven `small-lab number=7 seed=1`
"""
DOUBLE = """
def run(parameters, seed, report):
    if parameters.number == 13:
        raise Refused("The number is 13; choose another.")
    return {"double": Finding(2 * parameters.number, "things"), "list": Finding([1], ""), "single": Finding(1, "")}
"""


@pytest.fixture
def lab(make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch) -> Lab:  # noqa: F811
    """A catalog with one lab, which doubles a number."""
    made = make_lab(DOUBLE)
    monkeypatch.setattr(registry, "CATALOG", made.folder.parent)
    return made


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "evidence.json"


@pytest.fixture
def prove(app: Flask, tmp_path: Path, evidence: Path, lab: Lab) -> Callable[..., Result]:
    """Return a function that proves a bank of these items."""
    bank, course = tmp_path / "banks" / "c" / "b.md", tmp_path / "course"
    bank.parent.mkdir(parents=True)
    course.mkdir()

    def call(text: str, *arguments: str, lesson: str = "") -> Result:
        bank.write_text(HEAD + text, "utf-8")
        if lesson:
            (course / "glossary.md").write_text(lesson, "utf-8")
        options = ["--banks", str(tmp_path / "banks"), "--content", str(course), "--evidence", str(evidence)]
        return app.test_cli_runner().invoke(args=["quizzes", "prove", *options, *arguments])

    return call


def test_a_sound_proof_passes_and_leaves_its_evidence(prove: Callable[..., Result], evidence: Path) -> None:
    result = prove(CHOICE + NUMERIC)
    assert result.exit_code == 0, result.output
    assert "2 items, 3 experiments, 3 run, 0 faults." in result.stdout
    kept = json.loads(evidence.read_text())
    assert list(kept) == [f"small-lab number={number} seed=1" for number in (5, 7, 9)]
    assert kept["small-lab number=5 seed=1"]["findings"] == {"double": [10, "things"]}
    assert kept["small-lab number=5 seed=1"]["measured_on"] == "2018-02-12"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("- [ ] Six", "- [x] Six", "The key a is not borne out: “double == 6” is false, with double = 10."),
        ("double == 6", "double > 6", "The distractor a holds as well: “double > 6” is true, with double = 10."),
        ("4 ± 0.5 things", "5 ± 0.5 things", "The runs give 4 for “nine.double - seven.double”, and the key is 5."),
    ],
)
def test_it_fails_for_a_key_that_is_turned_and_a_distractor_that_holds(
    prove: Callable[..., Result], old: str, new: str, sentence: str
) -> None:
    text = (CHOICE + NUMERIC).replace(old, new, 1)
    if new == "- [x] Six":
        text = text.replace("- [x] Ten", "- [ ] Ten", 1)
    result = prove(text)
    assert result.exit_code == 1
    assert re.search(rf"b\.md:\d+:1: p-1-00\d: {re.escape(sentence)}", result.stderr), result.stderr


def test_it_fails_when_the_code_of_a_lab_changes_the_finding(prove: Callable[..., Result], lab: Lab) -> None:
    assert prove(CHOICE).exit_code == 0
    code = lab.folder / "lab.py"
    code.write_text(code.read_text().replace("2 * parameters.number", "(1 + 2) * parameters.number"))
    result = prove(CHOICE, "--changed")
    assert result.exit_code == 1
    assert "1 run, 1 faults." in result.stdout
    assert "The key b is not borne out: “double == 10” is false, with double = 15." in result.stderr


def test_only_what_has_changed_is_run_again(prove: Callable[..., Result], lab: Lab) -> None:
    prove(CHOICE + NUMERIC)
    assert "0 run, 0 faults." in prove(CHOICE + NUMERIC, "--changed").stdout
    with (lab.folder / "checks.py").open("a") as checks:
        checks.write("\n\nSEVEN = 7\n")
    (lab.folder / "brief.md").write_text("## Another number\n")
    assert "0 run" in prove(CHOICE + NUMERIC, "--changed").stdout
    assert "1 run" in prove(CHOICE.replace("number=5", "number=5 seed=2") + NUMERIC, "--changed").stdout
    declared = (lab.folder / "lab.toml").read_text()
    (lab.folder / "lab.toml").write_text(declared.replace("default = 7", "default = 8"))
    by_default = CHOICE.replace(" number=5", "").replace("== 10", "== 16")
    assert "1 run, 0 faults." in prove(by_default, "--changed").stdout
    (lab.folder / "lab.toml").write_text(declared)
    assert "1 run, 1 faults." in prove(by_default, "--changed").stdout


def test_a_finding_that_was_not_cited_before_is_measured(prove: Callable[..., Result], evidence: Path) -> None:
    prove(CHOICE)
    result = prove(CHOICE.replace("double == 10", "double == 10 and single == 1"), "--changed")
    assert "1 run, 0 faults." in result.stdout
    assert '"single": [1, ""]' in evidence.read_text()


def test_the_same_measurement_leaves_the_file_as_it_is(
    prove: Callable[..., Result], evidence: Path, clock: MovableClock
) -> None:
    prove(CHOICE + NUMERIC)
    before = evidence.read_bytes()
    clock.advance(days=30)
    assert "3 run, 0 faults." in prove(CHOICE + NUMERIC).stdout
    assert evidence.read_bytes() == before
    assert prove(CHOICE).exit_code == 0
    assert "number=9" not in evidence.read_text()


def test_a_run_that_the_lab_refuses_is_a_finding(prove: Callable[..., Result]) -> None:
    refused = CHOICE.replace("number=5", "number=13")
    told = refused.replace("double == 6", "not is_refused and double == 6").replace("double == 10", "is_refused")
    assert prove(told).exit_code == 0
    assert "0 run, 0 faults." in prove(told, "--changed").stdout
    assert "has no finding “double” that is a number; it has is_refused." in prove(refused).stderr


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("small-lab number=5", "large-lab", "There is no lab “large-lab”; the labs are small-lab."),
        ("number=5", "numbr=5", "numbr is no parameter of small-lab; did you mean number?"),
        ("number=5", "number=500", "number is “500”; it accepts a whole number from 0 to 100."),
        ("double == 6", "triple == 6", "has no finding “triple” that is a number; it has double, single, is_refused."),
        ("double == 6", "list == 6", "has no finding “list” that is a number"),
    ],
)
def test_an_experiment_that_cannot_be_run_is_told_with_its_place(
    prove: Callable[..., Result], evidence: Path, old: str, new: str, sentence: str
) -> None:
    result = prove(CHOICE.replace(old, new, 1) + NUMERIC)
    assert result.exit_code == 1
    assert re.search(rf"b\.md:7:1: .*{re.escape(sentence)}", result.stderr), result.stderr
    assert len(json.loads(evidence.read_text())) == 2, "what could be measured is kept"


def test_what_a_lesson_cites_is_measured(prove: Callable[..., Result], evidence: Path) -> None:
    lesson = "---\ntitle: Words\nsummary: What words mean.\n---\n\n:::measured small-lab number=4\n{}\n:::\n"
    assert prove(CHOICE, lesson=lesson.format("double: Twice four")).exit_code == 0
    assert json.loads(evidence.read_text())["small-lab number=4 seed=1"]["findings"] == {"double": [8, "things"]}
    result = prove(CHOICE, lesson=lesson.format("twice four"))
    assert result.exit_code == 1
    assert "glossary.md:6:1: “twice four” cites nothing" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "place", "sentence"),
    [
        ("  > **Finding** `double == 6`\n", "", "13:1", "This option claims nothing of the runs"),
        ("`double == 6`", "double == 6", "15:1", "A finding stands by itself"),
        ("double == 6", "double = 6", "15:1", "“double = 6” is no predicate"),
        ("double == 6", "half.double == 6", "15:1", "“half.double” is of no run of this item; write double."),
        ("**Proof** `small-lab number=5`\n", "", "15:1", "is of no run; name one under the options"),
        ("**Proof** `small-lab number=5`", "**Proof** small-lab number=5", "20:1", "This line reads “**Proof** `lab"),
        ("`small-lab number=5`", "`small-lab number`", "20:1", "“number” is no parameter of its own"),
        ("`small-lab number=5`", "`small-lab number='5`", "20:1", "is no experiment"),
        ("`small-lab number=5`", "`small-lab seed=x`", "20:1", "The seed is “x”; write a whole number."),
        ("`small-lab number=5`", "a `small-lab` · a `small-lab number=6`", "20:1", "This line reads"),
        ("`small-lab number=5`", "a `small-lab` · b `small-lab number=6`", "15:1", "write a.double or b.double."),
        ("**Today** The same.", "- [ ] Twelve", "22:1", "An option begins with"),
    ],
)
def test_a_fault_in_how_a_proof_is_written_is_found(old: str, new: str, place: str, sentence: str) -> None:
    assert old in CHOICE
    _, findings = markdown.read(HEAD + CHOICE.replace(old, new, 1), Path("c/b.md"))
    found = [f"{one.line}:{one.column}: {one.sentence}" for one in findings]
    assert any(one.startswith(f"{place}: ") and sentence in one for one in found), found


def test_a_run_of_which_nothing_is_claimed_is_a_fault() -> None:
    unused = NUMERIC.replace("nine.double - seven.double", "nine.double - 14")
    _, findings = markdown.read(HEAD + unused, Path("c/b.md"))
    assert [one.sentence for one in findings] == ["No option names a finding of the run “seven”."]


def test_only_choices_and_numbers_can_be_proven() -> None:
    text = NUMERIC.replace("numeric", "text").replace("4 ± 0.5 things", "“four”")
    _, findings = markdown.read(HEAD + text, Path("c/b.md"))
    assert "Only choice and numeric items can be proven; take this line out." in [one.sentence for one in findings]


def _items(text: str) -> tuple[Item, ...]:
    bank, findings = markdown.read(HEAD + text, Path("c/b.md"))
    assert findings == ()
    return bank.items


def test_a_proven_bank_survives_writing_reading_and_the_database() -> None:
    bank, _ = markdown.read(HEAD + CHOICE + NUMERIC, Path("c/b.md"))
    again, findings = markdown.read(markdown.write(bank), Path("c/b.md"))
    assert findings == ()
    assert [one.key for one in again.items] == [one.key for one in bank.items]
    assert markdown.write(again) == markdown.write(bank) == HEAD + CHOICE + NUMERIC
    for item in bank.items:
        row = json.loads(json.dumps(item.content()))
        assert item_of(row["question"], row["key"]) == replace(item, path=None, line=0)


def test_an_item_without_a_proof_keeps_its_version() -> None:
    (proven,) = _items(CHOICE)
    plain = replace(proven, key=replace(proven.key, experiments=(), claims=()))
    assert not {"experiments", "claims"} & set(plain.content()["key"])
    assert plain.fingerprint() != proven.fingerprint()


EXAM = blueprint.Blueprint(
    "proofs", "PROOFS", "Proofs", "architectures", 1, 20, 700, (blueprint.Domain(2, "Two", 100),)
)


@pytest.fixture
def with_proven_item(app: Flask) -> Item:
    """Offer an exam of one shipped item that is proven."""
    bank = next(one for one in app.extensions["banks"]() if one.slug == "2-services-under-load")
    item = next(one for one in bank.items if one.question.id == "arc-2-014")
    app.extensions["exams"] = Exams((EXAM,), (replace(bank, items=(item,)),))
    return item


@pytest.fixture(autouse=True)
def _context(app: Flask) -> object:
    with app.app_context():
        yield


def test_the_review_shows_the_proof_and_the_page_before_nothing_of_it(
    with_proven_item: Item, begin: Callable[..., Learner]
) -> None:
    learner = begin(exam="proofs")
    sat = learner.client.get(learner.address).text
    assert not re.search(r"is_refused|unreserved_left|Proved|/labs/[^\"]*seed", sat)
    learner.answer(1, "a")
    learner.submit()
    page = learner.client.get(f"{learner.address}/review").text
    assert "Proved by experiment" in page
    assert '100 <span class="meta">executions</span>' in page
    link = "/labs/lambda-concurrency?concurrency=1&amp;other_reservations=300%2C250%2C200&amp;requests=1"
    assert f"{link}&amp;reserved_concurrency=150&amp;seed=1#parameters-title" in page
    assert 'href="/labs/lambda-concurrency#tasks-title"' in page
    form = learner.client.get("/labs/lambda-concurrency?other_reservations=300%2C250%2C200&seed=1").text
    assert 'value="300,250,200"' in form


@pytest.mark.parametrize("turned", [True, False])
def test_nothing_is_shown_as_proved_that_the_evidence_does_not_bear_out(
    app: Flask, with_proven_item: Item, begin: Callable[..., Learner], turned: bool
) -> None:
    if turned:
        key = replace(with_proven_item.key, correct=frozenset("a"))
        bank = app.extensions["exams"].banks[0]
        app.extensions["exams"] = Exams((EXAM,), (replace(bank, items=(replace(with_proven_item, key=key),)),))
        store.sync_versions(app.extensions["database"], app.extensions["exams"].banks)
    else:
        kept = app.extensions["evidence"]
        stale = {name: replace(one, rests_on="0" * 64) for name, one in kept.measurements.items()}
        app.extensions["evidence"] = Evidence(kept.labs, stale)
    learner = begin(exam="proofs")
    learner.submit()
    assert "Proved by experiment" not in learner.client.get(f"{learner.address}/review").text


def test_a_drill_and_a_check_in_a_lesson_lead_to_the_experiment(app: Flask, post: Callable[..., object]) -> None:
    address = "/drills/architectures?task=2.2"
    answered = post(app.test_client(), address, question="arc-2-014", answer="a").text
    assert "Proved by experiment" in answered
    assert 'href="/labs/lambda-concurrency#tasks-title"' in answered
    assert "reserved_concurrency=250&amp;seed=1#parameters-title" in answered
    checked = post(app.test_client(), "/checks/arc-check-205", answer="a").text
    assert "rejection_latency=20" in checked


def test_a_check_tells_a_script_where_the_experiment_is(app: Flask, csrf: Callable[..., str]) -> None:
    client = app.test_client()
    fields = {"csrf_token": csrf(client), "answer": "a"}
    told = client.post("/checks/arc-check-205", data=fields, headers={"Accept": "application/json"}).json
    (address,) = told["experiments"]
    assert address.startswith("/labs/lambda-concurrency?concurrency=12&")
    assert client.get(address).status_code == 200


def test_judging_asks_for_evidence_first() -> None:
    (item,) = _items(CHOICE)
    proof = proofs.of(item.key)
    assert proof is not None
    (sentence,) = proofs.judge(item, proof, Evidence((), {}))
    assert "run “flask quizzes prove --changed”" in sentence
