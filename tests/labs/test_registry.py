"""The catalog: a folder is a lab, and a faulty one is named with its file."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from labs import registry, runner
from labs.parameters import Parameter, ParameterError
from labs.registry import Lab, LabError

MakeLab = Callable[..., Lab]


def test_a_copied_folder_is_a_new_lab_and_runs(tmp_path: Path) -> None:
    shutil.copytree(registry.CATALOG / "lambda_concurrency", tmp_path / "first")
    shutil.copytree(registry.CATALOG / "lambda_concurrency", tmp_path / "my_own_lab")
    labs, errors = registry.load(tmp_path)
    assert ([lab.slug for lab in labs], errors) == (["first", "my-own-lab"], ())
    copied = registry.find(labs, "my-own-lab")
    assert copied is not None
    values, _ = copied.read({"reserved_concurrency": "25"})
    outcome = runner.execute(copied, values, 1, runner.Limits(seconds=20))
    assert outcome.findings["rejected"]["value"] == 2500


def test_a_solution_may_name_a_file_of_its_folder(make_lab: MakeLab) -> None:
    lab = make_lab()
    (lab.folder / "seven.txt").write_text("7")
    runs = '[[runs]]\ncheck = "is_seven"\nseed = 1\nparameters = { number = "%s" }\n'
    (lab.folder / "solution.toml").write_text(runs % "@seven.txt" + runs % "7")
    assert [run.parameters for run in lab.solution()] == [{"number": "7"}] * 2


def test_hints_are_the_checks_docstrings(make_lab: MakeLab) -> None:
    assert make_lab().tasks[0].hint == "Seven is the number."


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("lab.toml", "title = ", "cannot be read as TOML"),
        ("lab.toml", 'title = "Only this"', "lacks “summary”"),
        ("lab.toml", "nonsense = 1", "has “nonsense”, which nothing reads"),
        ("lab.toml", '[[parameters]]\nkind = "sql"\nname = "run"', "has the name “run”, which every lab's form uses"),
        ("lab.toml", 'network = "all"', "The network is “all”; use none or loopback."),
        ("lab.toml", '[[parameters]]\nkind = "code"', "has the kind “code”; use integer"),
        (
            "lab.toml",
            '[[tasks]]\ncheck = "is_eight"\ntitle = "?"',
            "names the check “is_eight”; checks.py has is_seven",
        ),
        ("checks.py", "def is_seven(values:\n", "Line 1 is not Python"),
        ("published.toml", "[[tables]]\nname = 'x'", "lacks “title”"),
        ("brief.md", None, "The file is missing"),
    ],
)
def test_a_faulty_folder_is_left_out_and_named(make_lab: MakeLab, file: str, text: str | None, sentence: str) -> None:
    make_lab(name="sound_lab")
    path = make_lab(name="faulty_lab").folder / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    labs, errors = registry.load(path.parent.parent)
    assert [lab.slug for lab in labs] == ["sound-lab"]
    assert [error.path for error in errors] == [path]
    assert sentence in str(errors[0])


def test_an_animation_that_is_announced_must_be_there(make_lab: MakeLab) -> None:
    folder = make_lab().folder
    toml = folder / "lab.toml"
    toml.write_text('animation = "Slices"\n' + toml.read_text())
    with pytest.raises(LabError, match=r"animation\.svg.*lab\.toml announces an animation"):
        registry.read(folder)
    for name in registry.ANIMATION:
        (folder / name).write_text("")
    assert registry.read(folder).animation == "Slices"


def test_parameters_stand_by_group_and_those_of_none_come_first(make_lab: MakeLab) -> None:
    lab = dataclasses.replace(
        make_lab(),
        parameters=tuple(
            dataclasses.replace(INTEGER, name=name, group=group, advanced=advanced)
            for name, group, advanced in (("a", "VPC", False), ("b", "", False), ("c", "VPC", False), ("d", "", True))
        ),
    )
    assert {group: [one.name for one in members] for group, members in lab.groups.items()} == {
        "": ["b"],
        "VPC": ["a", "c"],
    }
    assert next(iter(lab.groups)) == ""


def test_reading_one_faulty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="missing"):
        registry.read(tmp_path)


def test_an_unknown_parameter_is_told_with_the_nearest(make_lab: MakeLab) -> None:
    _, faults = make_lab().read({"nummber": "1"})
    assert str(faults["nummber"]) == "nummber is no parameter of small-lab; did you mean number?"
    _, faults = make_lab(name="other").read({"zzz": "1"})
    assert str(faults["zzz"]).endswith("the parameters are number.")


INTEGER = Parameter(
    "n", "integer", "N", "", minimum=0, maximum=1000, unit="executions", optional=True, empty="unreserved"
)
NUMBER = Parameter("f", "number", "F", "", minimum=0.5, maximum=2)
CHOICE = Parameter("c", "choice", "C", "", choices=("exact", "fitted"))
LIST = Parameter("l", "integers", "L", "", minimum=0, maximum=1000)


def test_a_whole_number_is_shown_alike_with_and_without_its_point() -> None:
    assert NUMBER.show(1) == NUMBER.show(NUMBER.read("1")) == "1"


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (INTEGER, " 25 ", 25),
        (INTEGER, "0", 0),
        (INTEGER, "", None),
        (NUMBER, "1.5", 1.5),
        (CHOICE, "fitted", "fitted"),
        (LIST, "350, 200,200 150", (350, 200, 200, 150)),
        (LIST, "", ()),
    ],
)
def test_a_parameter_reads_what_it_shows(parameter: Parameter, text: str, value: object) -> None:
    assert parameter.read(text) == value
    assert parameter.read(parameter.show(parameter.read(text))) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (INTEGER, "1001"),
        (INTEGER, "-1"),
        (INTEGER, "2.5"),
        (INTEGER, "9" * 5000),
        (NUMBER, "nan"),
        (NUMBER, "inf"),
        (NUMBER, ""),
        (CHOICE, "Exact"),
        (LIST, "1,x"),
        (LIST, "1 " * 21),
    ],
)
def test_a_parameter_refuses_with_what_it_accepts(parameter: Parameter, text: str) -> None:
    with pytest.raises(ParameterError, match=parameter.accepts) as caught:
        parameter.read(text)
    assert str(caught.value).startswith(parameter.name)


def test_what_is_accepted_is_said_in_words() -> None:
    assert INTEGER.accepts == "a whole number of executions from 0 to 1,000, or nothing for unreserved"
