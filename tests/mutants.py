"""Mutation testing: change one thing in a module, run the tests of its rules, and name the changes that none notices.

``python -m tests.mutants`` goes through all of RULES, ``python -m tests.mutants MODULE TESTS…`` through one module.
Each change is tried in a process of its own, forked from one that has run these tests and knows their libraries.
"""

from __future__ import annotations

import ast
import copy
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

import hypothesis
import pytest

_KINDS = "tests/quizzes/test_kinds.py::test_"
_TEXTS = "tests/quizzes/formats/test_text_formats.py::test_"
RULES = {
    "quizzes/grading.py": (
        "tests/quizzes/test_rules.py",
        f"{_KINDS}marks_are_all_or_nothing_and_practice_gives_partial_credit",
        f"{_KINDS}an_order_earns_kendalls_tau",
    ),
    "quizzes/attempts.py": ("tests/quizzes/test_rules.py",),
    "quizzes/practice.py": ("tests/quizzes/test_drill_rules.py",),
    "quizzes/blueprint.py": (
        "tests/quizzes/test_rules.py",
        f"{_KINDS}a_case_stands_together_in_the_order_of_its_bank_and_types_are_kept",
        f"{_KINDS}the_spread_of_difficulty_is_kept_where_the_pool_has_it",
        f"{_KINDS}options_that_refer_to_others_keep_their_order",
    ),
    "quizzes/corrections/replay.py": ("tests/quizzes/corrections/test_replay.py",),
    "quizzes/formats/gift_reader.py": (
        f"{_TEXTS}every_file_of_the_corpus_gives_what_is_expected[gift]",
        f"{_TEXTS}too_many_questions_are_refused_as_a_whole[gift]",
        f"{_TEXTS}gift_keeps_categories_tags_and_places",
        f"{_TEXTS}names_become_ids_of_their_own",
        f"{_TEXTS}gift_reads_names_escapes_and_feedback",
        f"{_TEXTS}gift_says_what_is_lost_at_its_place",
    ),
    "quizzes/formats/aiken.py": (
        f"{_TEXTS}every_file_of_the_corpus_gives_what_is_expected[aiken]",
        f"{_TEXTS}too_many_questions_are_refused_as_a_whole[aiken]",
        f"{_TEXTS}aiken_says_what_is_wrong_where_with_the_source",
        f"{_TEXTS}an_option_of_aiken_has_no_rationale_and_its_place",
        f"{_TEXTS}aiken_writes_choices_of_one_and_says_why_others_stay_out",
    ),
    "accounts/people.py": ("tests/accounts/test_rules.py",),
    "accounts/cohorts.py": ("tests/accounts/test_rules.py",),
    "accounts/recovery.py": ("tests/accounts/test_rules.py",),
}
"""The rules, each with the quick tests that are about it."""
LEAST = 0.85
"""The share of a module's changes that its tests must notice."""
EXPLAINED = {
    ("quizzes/practice.py", "return 0, 0.0, _mixed(item.question.id)", "0 → 1"): "less than any moment of an answer",
    ("quizzes/practice.py", "return 0, 0.0, _mixed(item.question.id)", "0.0 → 1.0"): "the same for all that have it",
    (
        "quizzes/practice.py",
        "return (2 if result.correct else 1), result.answered_at.timestamp(), item.question.id",
        "2 → 3",
    ): "more than 1 all the same",
    (
        "accounts/recovery.py",
        """text = f"recovery\\n{person_id}\\n{ends}\\n{password_hash or ''}\"""",
        "'' → 'x'",
    ): "nobody's hash either",
    ("quizzes/blueprint.py", "tasks[best.task] += 1", "1 → 2"): "twice as many of each compare as before",
    ("quizzes/blueprint.py", "self.left.get(one.difficulty, 1) < 1,", "1 → 2"): "all have it, or none",
    (
        "quizzes/blueprint.py",
        "self.left.get(one.difficulty, 1) < 1,",
        "self.left.get(one.difficulty, 1) < 1 → self.left.get(one.difficulty, 1) <= 1",
    ): "the last of each difficulty is then chosen by the same number, two lines below",
    (
        "quizzes/blueprint.py",
        "-self.left.get(one.difficulty, 0),",
        "-self.left.get(one.difficulty, 0) → self.left.get(one.difficulty, 0)",
    ): "in which order difficulties come changes no count where the pool has them all",
    ("quizzes/blueprint.py", "-self.left.get(one.difficulty, 0),", "0 → 1"): "all have it, or none",
    (
        "quizzes/grading.py",
        "return sum(1 if one < other else -1 for one, other in both) / len(couples)",
        "one < other → one <= other",
    ): "no two steps have one place",
    ("quizzes/formats/aiken.py", "answer_line: int = 0", "0 → 1"): "set with each answer",
    ("quizzes/formats/aiken.py", "blank: bool = False", "False → True"): "set with each line",
}
"""Changes that make no difference: the module, the line, the change, and why."""

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NO_RULES = {"annotation", "returns", "decorator_list"}
_CONDITIONS = {"test", "ifs"}
_MEMORY = 2 << 30
Replace = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, how it reads before and after, and what makes it."""

    line: int
    """Counted from 1."""
    change: str
    make: Callable[[], None]


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Yield every change of a module, one operator, value, condition, argument or statement each."""
    for node, replace, field in _places(tree, lambda _: None, ""):
        for other in _others(node, field):
            change = f"{ast.unparse(node)} → {ast.unparse(other)}"
            yield Mutant(getattr(node, "lineno", 0), change, partial(replace, other))


def _places(node: ast.AST, replace: Replace, field: str) -> Iterator[tuple[ast.AST, Replace, str]]:
    """Yield each node with what puts another in its place, and the field of its parent that it stands in."""
    if _is_no_rule(node):
        return
    yield node, replace, field
    for name, value in ast.iter_fields(node):
        if name in _NO_RULES:
            continue
        if isinstance(value, ast.AST):
            yield from _places(value, partial(setattr, node, name), name)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                # What stands between the braces of an f-string is a sentence's.
                if isinstance(one, ast.AST) and not (isinstance(node, ast.JoinedStr) and isinstance(one, ast.Constant)):
                    yield from _places(one, partial(value.__setitem__, index), name)


def _is_no_rule(node: ast.AST) -> bool:
    """Return whether a node is a docstring, a type, or a check that two sequences are equally long."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="strict"):
            return True
        case ast.Subscript(value=ast.Name(id=name)):
            return name in {"Callable", "Literal"}
    return False


def _others(node: ast.AST, field: str) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place."""
    yield from _other_operators(node)
    yield from _other_values(node)
    yield from _other_statements(node)
    if field in _CONDITIONS and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)


def _other_operators(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                yield _with(node, ops=[*ops[:index], _OPERATORS[type(operator)](), *ops[index + 1 :]])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _OPERATORS:
            yield _with(node, op=_OPERATORS[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand


def _other_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if " " not in value.strip():
            yield ast.Constant("" if value else "x")
        case ast.keyword(arg=str()):
            yield ast.keyword(None, ast.Dict([], []))


def _other_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant) or value.value:
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


class _Mutated(SourceFileLoader, MetaPathFinder):
    """Imports one module from a tree instead of its file."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        super().__init__(path.removesuffix(".py").replace("/", "."), path)
        self._code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def get_code(self, _name: str) -> object:
        return self._code

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None


def survivors(path: str, tests: Sequence[str]) -> tuple[int, list[Mutant]]:
    """Return how many changes of a module there are, and those with which its tests still pass."""
    tree = ast.parse(Path(path).read_text("utf-8"))
    found = list(mutants(tree))
    began = time.monotonic()
    # Tests that need no fixture of the project do without its application, whose import takes most of a run.
    run = next((one for one in (["--noconftest", *tests], tests) if _run(one) == pytest.ExitCode.OK), None)
    if run is None:
        sys.exit(f"{path}: its tests fail as it is.")
    limit = 20 + 10 * int(time.monotonic() - began)
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{Path.cwd()}/") and name != "__main__":
            del sys.modules[name]
    return len(found), [one for one in found if _passes_with(one, path, tree, run, limit)]


def _passes_with(mutant: Mutant, path: str, tree: ast.Module, tests: Sequence[str], limit: int) -> bool:
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    # Whoever waits or grows for ever has noticed too.
    signal.alarm(limit)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    code = 1
    try:
        mutant.make()
        sys.meta_path.insert(0, _Mutated(path, tree))
        code = int(_run(tests))
    finally:
        os._exit(code)


def _run(tests: Sequence[str]) -> int:
    """Run tests in silence, up to the first that fails, and return pytest's exit status."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # Its plugins are imported already when it runs for the second time.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with _silence(), tempfile.TemporaryDirectory() as folder:
        return pytest.main([*options, f"--basetemp={folder}/tests", *tests])


@contextmanager
def _silence() -> Iterator[None]:
    kept = [os.dup(number) for number in (1, 2)]
    with Path(os.devnull).open("w") as nothing:
        for number in (1, 2):
            os.dup2(nothing.fileno(), number)
        try:
            yield
        finally:
            for number, old in enumerate(kept, 1):
                os.dup2(old, number)
                os.close(old)


def main() -> None:
    """Print each survivor that nothing explains and, of each module, how many changes its tests notice."""
    steps = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", max_examples=20, database=None, derandomize=True, phases=steps)
    hypothesis.settings.load_profile("mutants")
    failed = False
    for path in sys.argv[1:2] or RULES:
        count, left = survivors(path, sys.argv[2:] or RULES[path])
        source = Path(path).read_text("utf-8").splitlines()
        unexplained = [one for one in left if (path, source[one.line - 1].strip(), one.change) not in EXPLAINED]
        lines = [f"{path}:{one.line}: {one.change}" for one in unexplained]
        noticed = count - len(left)
        lines.append(f"{path}: {noticed} of {count} noticed ({noticed / count:.0%}), {len(unexplained)} unexplained")
        print(*lines, sep="\n", flush=True)  # noqa: T201 (it is what the program is for)
        failed |= noticed < LEAST * count
    sys.exit(failed)


if __name__ == "__main__":
    main()
