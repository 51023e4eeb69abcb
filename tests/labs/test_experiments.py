"""Experiments: how they are written, what they rest on, and the form that their address fills in."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from labs import code_hash, experiments, registry
from labs.experiments import Evidence, ExperimentError, Measurement
from labs.findings import Finding
from labs.registry import Lab
from labs.runner import Limits

FOUR = 'lambda-concurrency scenario="four sources" source_rates=0,10,0,0 source_reservations= seed=7'


def test_an_experiment_is_the_same_in_whatever_order_it_is_written() -> None:
    one = experiments.parse(FOUR)
    assert one == experiments.parse(
        "lambda-concurrency seed=7 source_reservations= 'source_rates=0,10,0,0' scenario='four sources'"
    )
    assert experiments.parse(str(one)) == one
    assert one.parameters[0] == ("scenario", "four sources")
    assert experiments.parse("lambda-concurrency").seed == 1


@pytest.mark.parametrize(
    "text", ["", "lab one", "lab a=1 a=2", "lab =1", "lab a='", "lab seed=-1", "lab seed=9999999999"]
)
def test_what_is_no_experiment_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError):
        experiments.parse(text)


@pytest.mark.parametrize(
    "text", ["lab", "lab\n\n", "lab\nrejected", "lab\n: words", "lab\nrejected:", "lab\ntwo words: a"]
)
def test_what_cites_nothing_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="cite"):
        experiments.parse_citation(text)


def test_the_address_fills_in_the_labs_form(client: FlaskClient) -> None:
    page = client.get(experiments.parse(FOUR).address).text
    assert "<option selected>four sources</option>" in page
    assert 'name="source_rates" value="0,10,0,0"' in page
    assert 'name="source_reservations" value=""' in page
    assert 'id="seed" name="seed" value="7"' in page


def test_an_example_of_the_lab_is_put_into_the_form_and_no_other_file(client: FlaskClient) -> None:
    address = experiments.parse("stepfunctions-etl machine=@retry.asl.json").address
    assert "tried again after an error" in html.unescape(client.get(address).text)
    for other in ("@../lab.toml", "@better.asl.json", "@/etc/hostname", "@"):
        page = html.unescape(client.get("/labs/stepfunctions-etl", query_string={"machine": other}).text)
        assert f">{other}</textarea>" in page.replace("\n", ""), other


def test_each_example_is_a_text_that_the_lab_takes() -> None:
    for lab in registry.load()[0]:
        names = [path.name for path in (lab.folder / registry.EXAMPLES).glob("*")]
        (parameter, *_) = [one.name for one in lab.parameters if one.is_text] or [""]
        for name in names:
            texts = lab.with_examples({parameter: f"@{name}"})
            assert lab.read(texts)[1] == {}
            assert not texts[parameter].startswith("@")


def test_a_run_of_an_unknown_lab_is_refused() -> None:
    with pytest.raises(ExperimentError, match="There is no lab “x”; the labs are"):
        experiments.measure(registry.load()[0], experiments.parse("x"), (), Limits())


def test_a_run_that_fails_says_how(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab("def run(parameters, seed, report):\n    raise KeyError('x')\n")
    with pytest.raises(ExperimentError, match="KeyError"):
        experiments.measure((lab,), experiments.parse("small-lab"), (), Limits())


def test_the_hash_covers_the_labs_code_and_what_it_imports(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    first = code_hash.code_hash(lab.folder)
    (lab.folder / "brief.md").write_text("## Words\n")
    (lab.folder / "other.py").write_text("X = 1\n")
    assert code_hash.code_hash(lab.folder) == first
    code = lab.folder / "lab.py"
    code.write_text("from .other import X\n" + code.read_text())
    second = code_hash.code_hash(lab.folder)
    (lab.folder / "other.py").write_text("X = 22\n")
    assert len({first, second, code_hash.code_hash(lab.folder)}) == 3


def test_the_hash_does_not_tell_where_the_project_lies(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = make_lab()
    moved = tmp_path / "elsewhere" / "small_lab"
    moved.parent.mkdir()
    before = code_hash.code_hash(lab.folder)
    lab.folder.rename(moved)
    assert code_hash.code_hash(moved) == before


@pytest.mark.parametrize(
    ("lab", "there", "not_there"),
    [
        ("lambda_concurrency", {"limiter.py", "billing.py", "four_sources.py"}, {"warehouse_process.py", "checks.py"}),
        # What the warehouse's process imports only when it starts counts as well.
        ("stepfunctions_etl", {"execution.py", "warehouse_process.py", "bucket.py", "files.py"}, {"limiter.py"}),
    ],
)
def test_the_parts_that_a_lab_rests_on(lab: str, there: set[str], not_there: set[str]) -> None:
    found: dict[Path, None] = {}
    code_hash._gather((registry.CATALOG / lab / "lab.py").resolve(), found)
    names = {path.name for path in found}
    assert there <= names
    assert not not_there & names


def _evidence(lab: Lab, text: str) -> tuple[Evidence, experiments.Experiment]:
    one = experiments.parse(text)
    rests = experiments.rests_on(lab, experiments.values_of(lab, one), one.seed)
    return Evidence((lab,), {str(one): Measurement(rests, "2018-02-12", {"number": Finding(7, "")})}), one


def test_evidence_holds_until_the_lab_or_a_parameter_changes(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    evidence, one = _evidence(lab, "small-lab seed=2")
    assert evidence.find(one) is not None
    assert evidence.find(experiments.parse("small-lab seed=3")) is None
    assert Evidence((), evidence.measurements).find(one) is None
    (lab.folder / "lab.toml").write_text((lab.folder / "lab.toml").read_text().replace("default = 7", "default = 8"))
    assert Evidence((registry.read(lab.folder),), evidence.measurements).find(one) is None


def test_the_file_comes_back_as_it_was_written(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    evidence, _ = _evidence(make_lab(), "small-lab number=3")
    experiments.save(tmp_path / "e.json", evidence.measurements)
    assert experiments.load(tmp_path / "e.json") == evidence.measurements
    experiments.save(tmp_path / "e.json", {})
    assert experiments.load(tmp_path / "e.json") == experiments.load(tmp_path / "none.json") == {}


def test_a_lesson_shows_what_was_measured_and_the_way_there(app: Flask) -> None:
    page = app.test_client().get("/learn/architectures/services-under-load/lambda-concurrency").text
    measured = app.extensions["evidence"].find(
        experiments.parse("lambda-concurrency reserved_concurrency=25 preset=fitted")
    )
    assert f"{measured.findings['rejected'].value:,} <span" in page
    assert "/labs/lambda-concurrency?preset=fitted&amp;reserved_concurrency=25&amp;seed=1#parameters-title" in page
    assert "Refused if places are freed late" in page


def test_the_check_of_the_course_names_a_lesson_without_evidence(app: Flask) -> None:
    app.extensions["evidence"] = Evidence(app.extensions["labs"], {})
    result = app.test_cli_runner().invoke(args=["content", "check"])
    assert result.exit_code == 1
    sentence = "There is no evidence of “lambda-concurrency reserved_concurrency=0 seed=1”; run “flask quizzes prove"
    assert sentence in result.stderr
