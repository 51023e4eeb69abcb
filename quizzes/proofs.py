"""Proofs: whether the runs that an item names bear out its key and none of its distractors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from labs import experiments
from labs.experiments import Citation, Evidence, Experiment
from quizzes import grading, predicates
from quizzes.predicates import Predicate, PredicateError
from quizzes.questions import Item, Key


@dataclass(frozen=True)
class Proof:
    """An item's runs by name, empty where there is only one, and what each option takes them to have found."""

    runs: Mapping[str, Experiment]
    claims: Mapping[str, Predicate]

    def cited(self) -> dict[Experiment, dict[str, None]]:
        """Return the findings that the claims name, in their order, by the run they are of."""
        cited: dict[Experiment, dict[str, None]] = {one: {} for one in self.runs.values()}
        for claim in self.claims.values():
            for run, finding in claim.findings():
                cited[self.runs[run]][finding] = None
        return cited


def of(key: Key) -> Proof | None:
    """Return the proof that a key names, or None; it was checked when the item was read."""
    if not key.experiments:
        return None
    runs = {name: experiments.parse(text) for name, text in key.experiments}
    return Proof(runs, {letter: predicates.parse(text) for letter, text in key.claims})


def judge(item: Item, proof: Proof, evidence: Evidence) -> list[str]:
    """Return what the evidence says against an item's proof, a sentence each; nothing where it is proven.

    The key of a choice must hold and each distractor must not; a number must be one that the key accepts as an answer.
    """
    runs: dict[str, dict[str, float]] = {}
    for name, experiment in proof.runs.items():
        found = evidence.find(experiment)
        if found is None:
            return [f"There is no evidence of “{experiment}”; run “flask quizzes prove --changed”."]
        runs[name] = {one: value for one, (value, _unit) in found.findings.items() if isinstance(value, int | float)}
    return [sentence for letter, claim in proof.claims.items() for sentence in _against(item, letter, claim, runs)]


def proven(item: Item, evidence: Evidence) -> tuple[tuple[str, Citation], ...]:
    """Return the runs that prove an item, as (name, what a page shows), or nothing where the evidence does not."""
    proof = of(item.key)
    if proof is None or judge(item, proof, evidence):
        return ()
    cited = proof.cited()
    shown = [(name, evidence.cite(one, dict.fromkeys(cited[one], ""))) for name, one in proof.runs.items()]
    return tuple((name, citation) for name, citation in shown if citation is not None)


def _against(item: Item, letter: str, claim: Predicate, runs: predicates.Runs) -> Iterator[str]:
    try:
        value = claim.value(runs)
    except PredicateError as error:
        yield str(error)
        return
    if item.question.kind == "numeric":
        if not grading.mark(item, str(value)).correct:
            yield f"The runs give {value} for “{claim.text}”, and the key is {item.key.answer}."
    elif letter in item.key.correct and not value:
        yield f"The key {letter} is not borne out: “{claim.text}” is false, with {_figures(claim, runs)}."
    elif letter not in item.key.correct and value:
        yield f"The distractor {letter} holds as well: “{claim.text}” is true, with {_figures(claim, runs)}."


def _figures(claim: Predicate, runs: predicates.Runs) -> str:
    """Say what the runs found of all that a claim names."""
    named = dict.fromkeys(claim.findings())
    return ", ".join(f"{run + '.' if run else ''}{name} = {runs[run].get(name, 'none')}" for run, name in named)
