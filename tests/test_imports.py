"""Imports point one way: app → views, cli, schedule → pure modules; rooms know only the rooms below them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("accounts", "backups", "content", "labs", "publisher", "quizzes", "web")
BELOW = {
    "backups": set(),
    "content": set(),
    "labs": {"content.render"},
    "quizzes": {"content", "labs.registry", "labs.experiments", "labs.runner"},
    "publisher": {"content", "quizzes", "labs"},
    "accounts": set(),
    "web": {"accounts"},
}
FACES = {"views.py", "cli.py", "schedule.py"}
"""Only these may touch the request, the shell and people; accounts.sessions is the accounts room's own face."""
SHELL = {
    *("web/server.py", "web/shell.py", "web/errors.py", "web/views.py", "web/languages.py"),
    *("accounts/sessions.py", "web/security.py", "web/lifecycle.py"),
}


def _modules() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted(Path(room).rglob("*.py")):
            if "templates" not in path.parts:
                yield path


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def faults(path: Path, imports: set[str]) -> list[str]:
    """Return what a module imports that its place forbids."""
    room, name = path.parts[0], path.name
    face = name in FACES or name.endswith(("_views.py", "_cli.py")) or str(path) in SHELL
    found = []
    for module in sorted(imports):
        top = module.partition(".")[0]
        if (
            (top == "app" and str(path) != "web/server.py")
            or (top in {"web", "accounts"} and top != room and not face)
            or (top in ROOMS and top not in {room, "web", "accounts"} and not _allowed(room, module))
            or (module == "db.database" and not face)
        ):
            found.append(module)
    return found


def _allowed(room: str, module: str) -> bool:
    return any(
        module == below or module.startswith(below + ".") or below.startswith(module + ".") for below in BELOW[room]
    )


@pytest.mark.parametrize("path", list(_modules()), ids=str)
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    assert faults(path, _imports(path)) == []


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        str(path)
        for path in [*_modules(), Path("app.py"), Path("db.py")]
        if "os.environ" in path.read_text("utf-8") or "os.getenv" in path.read_text("utf-8")
    ]
    assert readers == []


@pytest.mark.parametrize(
    ("path", "module"),
    [("content/library.py", "quizzes.pool"), ("quizzes/grading.py", "web.clock"), ("labs/runner.py", "db.database")],
)
def test_the_rule_refuses(path: str, module: str) -> None:
    assert faults(Path(path), {module}) == [module]
