"""What an option claims of a run's findings: a tiny language of comparisons and sums, parsed and never executed.

A text such as ``before.rejected >= 2 * after.rejected and after.succeeded > 0`` is read by Python's own parser; only
numbers, findings, ``+ - * /``, comparisons (also in a chain) and ``and or not`` are let through.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

LONGEST = 300

Runs = Mapping[str, Mapping[str, float]]
"""The findings that are numbers by the name of their run, which is empty where there is only one."""

_SUMS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class PredicateError(ValueError):
    """A predicate that cannot be read or asked; the sentence says what is wrong."""


@dataclass(frozen=True)
class Predicate:
    """A predicate as it is written, and read."""

    text: str
    tree: ast.expr

    def findings(self) -> Iterator[tuple[str, str]]:
        """Yield each finding that is named, as (run, finding), in the order of the text."""
        yield from _findings(self.tree)

    def value(self, runs: Runs) -> float:
        """Return what the predicate comes to in these runs: a number, or True or False.

        ``and`` and ``or`` look at their right side only where the left one does not decide. Raises PredicateError for
        a finding that the run does not have, and for a division by zero.
        """
        try:
            return _value(self.tree, runs)
        except ZeroDivisionError:
            raise PredicateError(f"“{self.text}” divides by zero.") from None


def parse(text: str) -> Predicate:
    """Read a predicate; raise PredicateError where it is none."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body if len(text) <= LONGEST else None
        if tree is not None and all(map(_is_allowed, ast.walk(tree))):
            return Predicate(text.strip(), tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    raise PredicateError(
        f"“{text[:60]}” is no predicate; compare findings and numbers, as in “rejected == 2500 and timed_out < 5”."
    )


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) in {int, float}
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name)
    return isinstance(
        node,
        (
            *(ast.Name, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.And, ast.Or, ast.Not, ast.USub, ast.Load),
            *_SUMS,
            *_COMPARISONS,
        ),
    )


def _findings(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Attribute | ast.Name):
        yield _reference(node)
        return
    for child in ast.iter_child_nodes(node):
        yield from _findings(child)


def _reference(node: ast.Attribute | ast.Name) -> tuple[str, str]:
    """Return (run, finding): ``after.rejected`` names its run, ``rejected`` that of a proof which has only one."""
    if isinstance(node, ast.Name):
        return "", node.id
    return (node.value.id if isinstance(node.value, ast.Name) else ""), node.attr


def _value(node: ast.expr, runs: Runs) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name() | ast.Attribute():
            return _look_up(*_reference(node), runs)
        case ast.UnaryOp(op=sign, operand=inner):
            return not _value(inner, runs) if isinstance(sign, ast.Not) else -_value(inner, runs)
    return _joined(node, runs)


def _joined(node: ast.expr, runs: Runs) -> float:
    """Return the value of what joins others: a sum, a comparison, or several that must hold."""
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            return _SUMS[type(sign)](_value(left, runs), _value(right, runs))
        case ast.BoolOp(op=word, values=parts):
            return (all if isinstance(word, ast.And) else any)(_value(one, runs) for one in parts)
        case ast.Compare(left=first, ops=signs, comparators=others):
            values = [_value(one, runs) for one in (first, *others)]
            return all(_COMPARISONS[type(sign)](*pair) for sign, pair in zip(signs, pairwise(values), strict=True))
    raise PredicateError(f"{type(node).__name__} has no place in a predicate.")


def _look_up(run: str, name: str, runs: Runs) -> float:
    found = runs.get(run, {})
    if name not in found:
        where = f"run “{run}”" if run else "run"
        raise PredicateError(
            f"The {where} has no finding “{name}” that is a number; it has {', '.join(sorted(found))}."
        )
    return found[name]
