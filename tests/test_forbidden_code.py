"""What the source may not do anywhere, each rule with an example that it must find; and what is installed."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("accounts", "content", "labs", "publisher", "quizzes", "web")
SOURCES = [
    Path("app.py"),
    Path("config.py"),
    Path("db.py"),
    *(one for room in ROOMS for one in Path(room).rglob("*.py")),
]
TEMPLATES = [one for room in ROOMS for one in Path(room).rglob("templates/**/*.html")]

CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "compile": "runs text as code",
    "os.system": "gives text to a shell",
    "os.popen": "gives text to a shell",
    "subprocess.getoutput": "gives text to a shell",
    "asyncio.create_subprocess_shell": "gives text to a shell",
    "yaml.load": "makes objects of any class",
    "yaml.unsafe_load": "makes objects of any class",
    "pickle.loads": "makes objects of any class",
    "pickle.load": "makes objects of any class",
    "marshal.loads": "makes objects of any class",
    "render_template_string": "makes a template of text",
    "hashlib.md5": "is no hash to rely on",
    "hashlib.sha1": "is no hash to rely on",
    "tempfile.mktemp": "names a file that somebody else may make first",
    "ssl._create_unverified_context": "trusts any server",
}
XML = {"etree.fromstring", "etree.parse", "etree.XML", "etree.iterparse"}
CLIENTS = {"requests", "httpx", "aiohttp", "urllib.request", "http.client", "smtplib", "ftplib", "socket"}
BUILT = {ast.JoinedStr, ast.BinOp}
ALLOWED = {
    ("content/search.py", "text"): "names of columns and languages, all of them constants",
    ("labs/parts/warehouse/writing.py", "text"): "a function of its own, which quotes a text for SQL",
    ("labs/parts/object_store/backend.py", "etree.fromstring"): "the answer of the store behind it",
    ("publisher/lint.py", "etree.fromstring"): "a page that the book's own templates made",
    ("quizzes/formats/qti_item_writer.py", "etree.fromstring"): "what the Markdown renderer made",
    ("quizzes/statistics_export.py", "etree.fromstring"): "a constant",
}
"""Where a rule may be broken, and why."""


def name_of(node: ast.expr) -> str:
    """Return a call's name as it is written, or nothing for what has none."""
    if isinstance(node, ast.Attribute):
        before = name_of(node.value)
        return f"{before}.{node.attr}" if before else f".{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(source: str) -> tuple[ast.Call, ...]:
    """Return every call of a source."""
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def faults(source: str) -> Iterator[tuple[str, str]]:
    """Yield what a source does that it may not, as a name and the reason."""
    for node in calls(source):
        name, keywords = name_of(node.func), {one.arg: one.value for one in node.keywords}
        if name in CALLS and not _is_false(keywords.get("usedforsecurity")):
            yield name, CALLS[name]
        if "shell" in keywords and not _is_false(keywords["shell"]):
            yield name, "gives text to a shell"
        if _is_false(keywords.get("verify")) or _is_false(keywords.get("check_hostname")):
            yield name, "trusts any server"
        built = bool(node.args) and (
            type(node.args[0]) in BUILT or name_of(getattr(node.args[0], "func", node)).endswith(".format")
        )
        if built and (name in {"text", "sqlalchemy.text"} or name.endswith(".exec_driver_sql")):
            yield name, "builds SQL of text"
        if name in XML and not (len(node.args) > 1 or "parser" in keywords or "resolve_entities" in keywords):
            yield name, "reads XML without a parser that leaves entities alone"


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "os.system('ls ' + name)",
        "subprocess.run(line, shell=True)",
        "yaml.load(text)",
        "pickle.loads(data)",
        "hashlib.sha1(data)",
        "connection.execute(text(f'SELECT {name}'))",
        "connection.execute(text('SELECT %s' % name))",
        "connection.execute(text('SELECT {}'.format(name)))",
        "connection.exec_driver_sql('SELECT ' + name)",
        "etree.fromstring(data)",
        "client.get(url, verify=False)",
        "render_template_string(text)",
    ],
)
def test_each_rule_finds_its_example(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "connection.execute(text('SELECT 1'))",
        "subprocess.run(['ls', name])",
        "yaml.safe_load(text)",
        "etree.fromstring(data, parser)",
        "hashlib.md5(data, usedforsecurity=False)",
    ],
)
def test_no_rule_finds_what_is_sound(source: str) -> None:
    assert not list(faults(source))


def test_the_source_does_nothing_of_that() -> None:
    found = {(str(path), name) for path in SOURCES for name, _why in faults(path.read_text("utf-8"))}
    assert found == set(ALLOWED)


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports."""
    lines = re.findall(r"^\s*(?:import ([\w.]+)|from ([\w.]+) import (\w+))", path.read_text("utf-8"), re.MULTILINE)
    return {name for whole, package, part in lines for name in (whole, package, f"{package}.{part}")}


def test_only_these_modules_can_connect_to_anything() -> None:
    connecting = {str(path) for path in SOURCES if imports(path) & CLIENTS and path.parts[0] != "labs"}
    # The server tries whether it can listen, and the schedule asks for the machine's name.
    assert connecting == {"publisher/schedule.py", "publisher/transports.py", "web/server.py"}


SAFE = re.compile(r"([\w.]+)\s*\|\s*safe\b")
RENDERED = re.compile(
    r"\.html$|\.stem$|\.stimulus$|\.rationale$|explanation$|\.today$|^today$|^html$|^part$|^letter$|^brief$|^described$|^statement$"
)
"""What the Markdown renderer made, or a template of ours; anything else must be escaped."""


def test_only_what_a_renderer_made_stands_in_a_page_as_it_is() -> None:
    bare = {
        f"{path}: {name}"
        for path in TEMPLATES
        for name in SAFE.findall(path.read_text("utf-8"))
        if not RENDERED.search(name)
    }
    assert bare == set()
    assert not RENDERED.search("person.name")


FORM = re.compile(r"<form\b[^>]*method=\"post\".*?</form>", re.DOTALL)
INLINE = re.compile(
    r"<script(?![^>]*\b(?:src|type=\"application/json\"))|\son\w+=\"|\sstyle=\"|javascript:", re.IGNORECASE
)


def test_every_form_that_changes_something_carries_its_token_and_no_page_its_script() -> None:
    for path in TEMPLATES:
        source = path.read_text("utf-8")
        assert not INLINE.search(source), path
        for form in FORM.findall(source):
            assert "csrf_field()" in form or "csrf_token" in form, path
    assert INLINE.search('<a onclick="x">')
    assert INLINE.search("<script>x</script>")


LOCKS = sorted([*Path().glob("requirements*.txt"), *Path("benchmarks").glob("*.txt")])


PINNED = re.compile(r"[\w.\[\],-]+==[\w.+!]+( ;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")


def requirements(text: str) -> list[str]:
    """Return the requirements of a file, each as one line."""
    lines = text.replace("\\\n", " ").splitlines()
    return [one for one in lines if one.strip() and not one.lstrip().startswith("#")]


def unpinned(text: str) -> list[str]:
    """Return the requirements of a file that are not one version with its hashes and nothing else."""
    return [one for one in requirements(text) if not PINNED.fullmatch(one)]


@pytest.mark.parametrize("path", LOCKS, ids=str)
def test_every_requirement_is_one_version_with_its_hashes(path: Path) -> None:
    text = path.read_text("utf-8")
    assert requirements(text)
    assert unpinned(text) == []


HASH = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "line",
    [
        "flask",
        "flask==3.1.0",
        f"flask>=3.1.0 {HASH}",
        f"flask==3.* {HASH}",
        "flask==3.1.0 --hash=md5:0123",
        f"flask==3.1.0 {HASH[:-1]}",
        "flask @ https://example.org/flask.whl",
        "-e .",
        "--extra-index-url https://example.org/simple",
        f"flask==3.1.0 {HASH} --index-url=https://example.org/simple",
    ],
)
def test_a_requirement_that_is_not_pinned_is_found(line: str) -> None:
    pinned = f"# by hand\nwerkzeug==3.1.0 ; python_version < '3.12' \\\n    {HASH} \\\n    {HASH}\n    # via flask\n"
    assert unpinned(pinned) == []
    assert unpinned(f"{pinned}{line}\n") == [line]


def test_what_is_installed_is_installed_by_its_hashes() -> None:
    recipe = Path("Makefile").read_text("utf-8")
    installs = [one for one in recipe.splitlines() if "pip install" in one and "--quiet uv" not in one]
    assert installs
    assert [one for one in installs if "--require-hashes" not in one] == []
    locked = Path("tests/readers/package-lock.json").read_text("utf-8")
    packages = json.loads(locked)["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []


FONTS = Path("web/static/fonts")


def strange_files(root: Path) -> set[str]:
    """Return the served files of others that are not as they are listed, or not listed, or listed and not there."""
    listed = tomllib.loads((root / FONTS / "VENDOR.toml").read_text("utf-8"))["file"]
    known = {(str(FONTS / one["file"]), one["sha384"]) for one in listed}
    served = [one for room in ROOMS for one in (root / room).rglob("static/**/*") if one.is_file()]
    binary = [one for one in served if one.suffix in {".woff2", ".wasm", ".map"}]
    there = {(str(one.relative_to(root)), hashlib.sha384(one.read_bytes()).hexdigest()) for one in binary}
    scripts = [one for one in served if one.suffix == ".js"]
    theirs = [one for one in scripts if ".min." in one.name or "@license" in one.read_text("utf-8").lower()]
    return {name for name, _hash in known ^ there} | {str(one.relative_to(root)) for one in theirs}


def test_every_file_of_others_that_is_served_is_listed_with_its_hash() -> None:
    assert list(FONTS.glob("*.woff2"))
    assert strange_files(Path()) == set()


@pytest.mark.parametrize("change", ["a byte", "a file more", "a file less", "a script of others"])
def test_a_served_file_that_is_not_as_it_is_listed_is_found(tmp_path: Path, change: str) -> None:
    shutil.copytree(FONTS, tmp_path / FONTS)
    assert strange_files(tmp_path) == set()
    font = max((tmp_path / FONTS).glob("*.woff2"))
    found = font
    match change:
        case "a byte":
            font.write_bytes(font.read_bytes()[:-1] + b"x")
        case "a file more":
            found = Path(shutil.copy(font, font.with_name("more.woff2")))
        case "a file less":
            font.unlink()
        case "a script of others":
            found = font.with_name("theirs.js")
            found.write_text("/*! @license MIT */", "utf-8")
    assert strange_files(tmp_path) == {str(found.relative_to(tmp_path))}
