"""The hash of a lab's code: its own modules and the shared parts that they import, however far down."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = "labs.parts"


def code_hash(folder: Path) -> str:
    """Return the SHA-256 over ``lab.py`` and every module of the folder, or of ``labs.parts``, that it rests on.

    Libraries and the interpreter are left out: a run of every proof, not a hash, tells what a new version changes.
    """
    found: dict[Path, None] = {}
    _gather((folder / "lab.py").resolve(), found)
    total = hashlib.sha256()
    for path in sorted(found, key=_name):
        total.update(f"{_name(path)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _name(path: Path) -> str:
    """Return what a module is called wherever the project lies: a part by its path, a lab's own by its name."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT / "labs" / "parts") else path.name


def _gather(path: Path, found: dict[Path, None]) -> None:
    if path not in found:
        found[path] = None
        for imported in _imports(path, path.stat().st_mtime_ns):
            _gather(imported, found)


@lru_cache(maxsize=256)
def _imports(path: Path, _changed: int) -> tuple[Path, ...]:
    tree = ast.parse(path.read_text("utf-8"))
    return tuple(file for node in ast.walk(tree) for name in _names(node, path) for file in _files(name))


def _names(node: ast.AST, path: Path) -> Iterator[Path]:
    """Yield the paths, without an ending, of what an import may name: a module, and modules of a package."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.startswith(PARTS):
                yield ROOT.joinpath(*alias.name.split("."))
    elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(PARTS)):
        base = path.parents[node.level - 1] if node.level else ROOT
        module = base.joinpath(*(node.module or "").split("."))
        yield module
        for alias in node.names:
            yield module / alias.name


def _files(module: Path) -> Iterator[Path]:
    for file in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
        if file.is_file():
            yield file
