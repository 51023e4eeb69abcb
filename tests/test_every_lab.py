"""Every lab of the catalog: its solution passes its checks, its brief renders, and its parts fit together."""

from __future__ import annotations

import ast
import dataclasses
import sys
from functools import cache

import pytest

from content import render
from labs import child, registry, runner
from labs.registry import Lab

LABS, ERRORS = registry.load()
# The reactive lab lives in real time: each of its runs takes as long as it takes. `flask labs verify` has them all.
SLOW, SHOWN = "reactive-tracking", (0, 3, 6)
SOLUTIONS = [
    pytest.param(
        lab,
        run,
        id=f"{lab.slug}-{run.check}-{number}",
        marks=[pytest.mark.full] if lab.slug == SLOW and number not in SHOWN else [],
    )
    for lab in LABS
    for number, run in enumerate(lab.solution())
]
every_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)


@cache
def _by_default(slug: str) -> runner.Outcome:
    lab = registry.find(LABS, slug)
    assert lab
    return runner.execute(lab, lab.defaults(), 1, runner.Limits())


def test_every_folder_of_the_catalog_is_a_lab() -> None:
    assert ERRORS == ()
    assert {lab.folder for lab in LABS} == {one for one in registry.CATALOG.iterdir() if (one / "lab.py").exists()}


@pytest.mark.parametrize(("lab", "run"), SOLUTIONS)
def test_a_solution_passes_its_check(lab: Lab, run: registry.SolvedRun) -> None:
    values, faults = lab.read(run.parameters)
    assert faults == {}
    outcome = runner.execute(lab, values, run.seed, runner.Limits())
    assert outcome.ending.done, outcome.ending.sentence
    assert all(outcome.checks[check] for check in run.checks)
    assert set(outcome.checks) == {task.check for task in lab.tasks}


@every_lab
def test_the_solution_has_a_run_for_every_task(lab: Lab) -> None:
    assert {check for run in lab.solution() for check in run.checks} == {task.check for task in lab.tasks}
    assert {run.published for run in lab.solution()} <= {table.name for table in lab.published} | {""}


@every_lab
def test_a_run_by_default_does_not_pass_everything(lab: Lab) -> None:
    outcome = _by_default(lab.slug)
    assert outcome.ending.done
    assert not all(outcome.checks.values())


@every_lab
def test_every_check_has_a_hint_and_a_task(lab: Lab) -> None:
    tree = ast.parse((lab.folder / "checks.py").read_text("utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert names == {task.check for task in lab.tasks}
    assert all(task.hint for task in lab.tasks)


@every_lab
def test_the_brief_renders_below_the_pages_own_title(lab: Lab) -> None:
    rendered = render.render(lab.brief)
    assert rendered.headings
    assert all(heading.level >= 2 for heading in rendered.headings)
    assert "<script" not in rendered.html


@every_lab
def test_the_code_takes_the_parameters_that_are_declared(lab: Lab) -> None:
    code = child.load(lab.folder / "lab.py")
    sys.modules.pop(code.__name__)
    assert {one.name for one in dataclasses.fields(code.Parameters)} == {one.name for one in lab.parameters}
    texts = {one.name: one.show(one.default) for one in lab.parameters}
    assert lab.read(texts) == (lab.defaults(), {})


@pytest.mark.parametrize("lab", [lab for lab in LABS if lab.published], ids=lambda lab: lab.slug)
def test_published_figures_stand_beside_findings(lab: Lab) -> None:
    outcome = _by_default(lab.slug)
    for table in lab.published:
        assert set(table.figures) <= set(outcome.findings)


@every_lab
def test_no_page_names_the_solution(lab: Lab) -> None:
    assert "solution.toml" not in lab.brief
    assert lab.parts
    assert all(part.differs for part in lab.parts)
