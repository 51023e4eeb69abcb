"""The catalog on disk: each folder with a ``lab.toml`` is a lab; there is no list to edit."""

from __future__ import annotations

import ast
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from labs import servers
from labs.parameters import KINDS, Parameter, ParameterError, Value

CATALOG = Path(__file__).parent / "catalog"
EXAMPLES = "examples"
ANIMATION = ("animation.svg", "animation.js", "animation.json")
FILES = ("lab.toml", "brief.md", "lab.py", "checks.py", "published.toml", "solution.toml")

NETWORKS = ("none", "loopback")
TAKEN = ("csrf_token", "run", "seed")
"""What the form of the parameters and its address name already."""

T = TypeVar("T")


class LabError(ValueError):
    """A lab's folder that cannot be used: the file, and what to do about it."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path
        self.sentence = sentence


@dataclass(frozen=True)
class Part:
    """A part of the architecture: what stands for it in the lab, and where that differs from the real thing.

    Where a real server can take its place, ``setting`` is what allows that server, and ``configured`` says what stands
    for the part then.
    """

    name: str
    stands_for_it: str
    differs: str
    setting: str = ""
    configured: str = ""

    @property
    def server(self) -> str:
        """The name of the real server that can take the part's place; empty where none can."""
        return servers.named_by(self.setting) if self.setting else ""


@dataclass(frozen=True)
class Task:
    """What a learner is to bring about: the name of the check that settles it, its title, and the check's hint."""

    check: str
    title: str
    hint: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """Figures that the source published for one of its runs, by the names of the findings they stand beside."""

    name: str
    title: str
    figures: Mapping[str, float]
    histogram: tuple[tuple[float, int], ...] = ()
    beside: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    beside_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class SolvedRun:
    """Parameters and a seed that pass a check; ``published`` names the table to compare them with.

    The same run may pass others ``also``, which then need none of their own.
    """

    check: str
    seed: int
    parameters: Mapping[str, str]
    published: str = ""
    also: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[str, ...]:
        """All checks that the run is to pass."""
        return (self.check, *self.also)


@dataclass(frozen=True)
class Chart:
    """Metrics that a finished run draws together over its own time, under a title that names their unit."""

    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Lab:
    """A lab as its folder tells it; ``chart`` names the metrics that are drawn over its own time while it runs.

    A finished run draws them too, and each of ``charts`` beside them.

    A ``live`` one can also be run in real time, by ``live`` in its ``lab.py``. ``animation`` is the title of a drawing
    that a script moves, none if empty.
    ``network`` is what a run may reach: nothing, or what the run itself serves on the loopback interface.
    """

    slug: str
    folder: Path
    title: str
    summary: str
    fact: str
    minutes: int
    level: str
    source: str
    domains: tuple[str, ...]
    brief: str
    parts: tuple[Part, ...]
    parameters: tuple[Parameter, ...]
    tasks: tuple[Task, ...]
    published: tuple[PublishedTable, ...]
    chart: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    live: bool = False
    animation: str = ""
    network: str = "none"

    @property
    def drawing(self) -> Path | None:
        """The architecture as an SVG file, if the lab has one."""
        path = self.folder / "drawing.svg"
        return path if path.is_file() else None

    @property
    def groups(self) -> dict[str, list[Parameter]]:
        """The parameters of the form that everyone sees, by the name of their group, those of none first."""
        groups: dict[str, list[Parameter]] = {"": []}
        for parameter in self.parameters:
            if not parameter.advanced and not parameter.is_text:
                groups.setdefault(parameter.group, []).append(parameter)
        return groups

    def defaults(self) -> dict[str, Value]:
        """Return every parameter's default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def read(self, texts: Mapping[str, str]) -> tuple[dict[str, Value], dict[str, ParameterError]]:
        """Turn the texts of a form or a command line into (values of all parameters, faults by name)."""
        values, faults = self.defaults(), dict[str, ParameterError]()
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, text in texts.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"the parameters are {', '.join(known)}."
                faults[name] = ParameterError(f"{name} is no parameter of {self.slug}; {hint}")
                continue
            try:
                values[name] = known[name].read(text)
            except ParameterError as error:
                faults[name] = error
        return values, faults

    def solution(self) -> tuple[SolvedRun, ...]:
        """Read the runs that together pass every check; they are on disk only, never on a page.

        A parameter that begins with @ names a file of the folder that has its text.
        """
        path = self.folder / "solution.toml"
        tables = ({**one, "also": tuple(one.get("also", ()))} for one in _table(path).get("runs", []))
        runs = (_make(SolvedRun, one, path, "runs") for one in tables)
        return tuple(replace(run, parameters=self._texts(run.parameters)) for run in runs)

    def with_examples(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return texts in which ``@name`` is replaced by the file of that name among the lab's examples."""
        kept = {f"@{path.name}": path for path in (self.folder / EXAMPLES).glob("*")}
        return {name: kept[text].read_text("utf-8") if text in kept else text for name, text in texts.items()}

    def _texts(self, parameters: Mapping[str, str]) -> dict[str, str]:
        return {
            name: (self.folder / text[1:]).read_text("utf-8") if text.startswith("@") else text
            for name, text in parameters.items()
        }


def load(root: Path | None = None) -> tuple[tuple[Lab, ...], tuple[LabError, ...]]:
    """Read every folder of ``root`` that has a ``lab.toml``: the labs by slug, and what kept others out.

    Without ``root``, read the catalog.
    """
    labs, errors = [], []
    for path in sorted((root or CATALOG).glob("*/lab.toml")):
        try:
            labs.append(read(path.parent))
        except LabError as error:
            errors.append(error)
    return tuple(labs), tuple(errors)


def read(folder: Path) -> Lab:
    """Read one lab's folder; raise LabError for the first fault, with the file's name."""
    _demand(folder, FILES, "every lab has one")
    path = folder / "lab.toml"
    table = _table(path)
    if table.get("animation"):
        _demand(folder, ANIMATION, "lab.toml announces an animation")
    if table.get("network", "none") not in NETWORKS:
        raise LabError(path, f"The network is “{table['network']}”; use {' or '.join(NETWORKS)}.")
    hints = _hints(folder / "checks.py")
    given = {
        **table,
        "slug": folder.name.replace("_", "-"),
        "folder": folder,
        "brief": (folder / "brief.md").read_text("utf-8"),
        "domains": tuple(table.get("domains", ())),
        "chart": tuple(table.get("chart", ())),
        "charts": tuple(_chart(one, path) for one in table.get("charts", ())),
        "parts": tuple(_part(one, path) for one in table.get("parts", ())),
        "parameters": tuple(_parameter(one, path) for one in table.get("parameters", ())),
        "tasks": tuple(_task(one, path, hints) for one in table.get("tasks", ())),
        "published": _published(folder / "published.toml"),
    }
    return _make(Lab, given, path, "")


def _demand(folder: Path, names: tuple[str, ...], reason: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise LabError(folder / name, f"The file is missing; {reason}.")


def find(labs: tuple[Lab, ...], slug: str) -> Lab | None:
    """Return the lab with that slug."""
    return next((lab for lab in labs if lab.slug == slug), None)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabError(path, f"This cannot be read as TOML: {error}.") from None


def _make(kind: type[T], table: Mapping[str, Any], path: Path, where: str) -> T:
    """Make a value of the table; raise LabError where it lacks a field or has one that nothing reads."""
    place = f"[[{where}]] " if where else ""
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]  # only called with dataclasses
    for name in table:
        if name not in known:
            raise LabError(path, f"{place}has “{name}”, which nothing reads; use {', '.join(known)}.")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise LabError(path, f"{place}lacks “{name}”.")
    return kind(**table)


def _part(table: Mapping[str, Any], path: Path) -> Part:
    known = [server.setting for server in servers.SERVERS.values()]
    setting = table.get("setting", "")
    if setting and setting not in known:
        raise LabError(path, f"[[parts]] has the setting “{setting}”, which allows no server; use {', '.join(known)}.")
    if bool(setting) != bool(table.get("configured")):
        raise LabError(path, "[[parts]] has one of “setting” and “configured” alone; they go together.")
    return _make(Part, table, path, "parts")


def _parameter(table: Mapping[str, Any], path: Path) -> Parameter:
    if table.get("kind") not in KINDS:
        raise LabError(path, f"[[parameters]] has the kind “{table.get('kind')}”; use {', '.join(KINDS)}.")
    if table.get("name") in TAKEN:
        raise LabError(
            path, f"[[parameters]] has the name “{table['name']}”, which every lab's form uses; take another."
        )
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    return _make(Parameter, lists, path, "parameters")


def _chart(table: Mapping[str, Any], path: Path) -> Chart:
    return _make(Chart, {**table, "metrics": tuple(table.get("metrics", ()))}, path, "charts")


def _task(table: Mapping[str, Any], path: Path, hints: Mapping[str, str]) -> Task:
    check = str(table.get("check"))
    if check not in hints:
        raise LabError(path, f"[[tasks]] names the check “{check}”; checks.py has {', '.join(hints)}.")
    return _make(Task, {**table, "hint": hints[check]}, path, "tasks")


def _hints(path: Path) -> dict[str, str]:
    """Return the docstring of each check without running the lab's code."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except SyntaxError as error:
        raise LabError(path, f"Line {error.lineno} is not Python: {error.msg}.") from None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return {node.name: " ".join((ast.get_docstring(node) or "").split()) for node in functions}


def _published(path: Path) -> tuple[PublishedTable, ...]:
    tables = []
    for one in _table(path).get("tables", []):
        lists = {
            **one,
            "histogram": tuple((edge, count) for edge, count in one.get("histogram", [])),
            "beside": {name: tuple(values) for name, values in one.get("beside", {}).items()},
            "beside_columns": tuple(one.get("beside_columns", ())),
        }
        tables.append(_make(PublishedTable, lists, path, "tables"))
    return tuple(tables)
