"""Every proof on disk holds by the evidence beside it, and the evidence by a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from content import library
from content.render import Embed
from labs import experiments, registry
from labs.experiments import Evidence, Experiment
from labs.runner import Limits
from quizzes import pool, proofs
from quizzes.questions import Item

LABS, _ = registry.load()
EVIDENCE = Evidence(LABS, experiments.load(experiments.EVIDENCE))
PROVEN = [item for bank in pool.load(Path("quizzes/banks"))[0] for item in bank.items if item.key.experiments]
CITED = [
    experiments.parse_citation(part.reference)
    for page in library.load(Path("content"))[0].pages()
    for part in page.rendered.parts
    if isinstance(part, Embed) and part.kind == "measured"
]


def _shortest() -> dict[str, Item]:
    """Return one proven item of each lab, by the lab: that with the fewest runs."""
    found: dict[str, Item] = {}
    for item in sorted(PROVEN, key=lambda one: (len(one.key.experiments), one.question.id)):
        found.setdefault(experiments.parse(item.key.experiments[0][1]).lab, item)
    return found


@pytest.mark.parametrize("item", PROVEN, ids=lambda item: item.question.id)
def test_the_evidence_bears_out_the_key_and_no_distractor(item: Item) -> None:
    proof = proofs.of(item.key)
    assert proof is not None
    assert proofs.judge(item, proof, EVIDENCE) == []
    assert len(proofs.proven(item, EVIDENCE)) == len(proof.runs)


@pytest.mark.parametrize(("experiment", "words"), CITED, ids=str)
def test_a_lesson_cites_what_was_measured(experiment: Experiment, words: dict[str, str]) -> None:
    assert EVIDENCE.cite(experiment, words) is not None


def test_the_evidence_has_nothing_that_nobody_cites() -> None:
    named = {str(run) for item in PROVEN for run in (proofs.of(item.key) or proofs.Proof({}, {})).runs.values()}
    assert set(EVIDENCE.measurements) == named | {str(experiment) for experiment, _ in CITED}


# The reactive lab lives in real time, and its runs take a quarter of a minute.
@pytest.mark.parametrize(
    "item",
    [
        pytest.param(item, id=item.question.id, marks=[pytest.mark.full] if lab == "reactive-tracking" else [])
        for lab, item in _shortest().items()
    ],
)
def test_a_proof_holds_when_it_is_run_again(item: Item) -> None:
    proof = proofs.of(item.key)
    assert proof is not None
    measured = {str(one): experiments.measure(LABS, one, names, Limits()) for one, names in proof.cited().items()}
    assert proofs.judge(item, proof, Evidence(LABS, measured)) == []


def test_there_are_proofs_over_every_lab_that_a_lesson_cites() -> None:
    assert len(PROVEN) >= 60
    assert {experiments.parse(text).lab for text in EVIDENCE.measurements} >= {
        "lambda-concurrency",
        "stepfunctions-etl",
    }
