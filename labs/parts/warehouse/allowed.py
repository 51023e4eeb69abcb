"""What a query may consist of: a list of the kinds of nodes that are allowed, so that whatever is not on it is refused.

The warehouse never sees a learner's text, only what sqlglot writes from a tree that passed this list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from labs.parts.warehouse.faults import Place

QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery)
CHANGES = (exp.Insert, exp.Update, exp.Delete)

STRUCTURE: frozenset[type[exp.Expr]] = frozenset({
    *(exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join),
    *(exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct),
    *(exp.Table, exp.TableAlias, exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Literal, exp.Null, exp.Boolean),
    *(exp.Paren, exp.Tuple, exp.Case, exp.If, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT),
    *(exp.LTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Escape, exp.RegexpLike, exp.SimilarTo),
    *(exp.Exists, exp.Any, exp.All, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Cast),
    *(exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Window, exp.WindowSpec, exp.WithinGroup),
    *(exp.JSONPath, exp.JSONPathKey, exp.JSONPathRoot, exp.Values, exp.Schema, *CHANGES),
})  # fmt: skip
FUNCTIONS: frozenset[type[exp.Expr]] = frozenset({
    *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Stddev, exp.StddevSamp, exp.StddevPop),
    *(exp.Variance, exp.VariancePop, exp.GroupConcat, exp.PercentileCont, exp.Coalesce, exp.Nvl2, exp.Nullif),
    *(exp.DecodeCase, exp.Greatest, exp.Least, exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Trunc, exp.Pow),
    *(exp.Sqrt, exp.Exp, exp.Ln, exp.Log, exp.Sign, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring),
    *(exp.Left, exp.Right, exp.Replace, exp.StrPosition, exp.Concat, exp.SplitPart, exp.Reverse, exp.MD5),
    *(exp.RegexpExtract, exp.RegexpReplace, exp.JSONExtractScalar, exp.Chr, exp.Ascii, exp.TimeToStr),
    *(exp.StrToDate, exp.StrToTime, exp.CurrentTimestamp, exp.CurrentDate, exp.TsOrDsAdd, exp.TsOrDsDiff),
    *(exp.TimestampTrunc, exp.Extract, exp.LastDay, exp.ConvertTimezone, exp.Date, exp.RowNumber, exp.Rank),
    *(exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
})  # fmt: skip
OFFERED = STRUCTURE | FUNCTIONS
TYPES = frozenset({
    *(exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.DECIMAL, exp.DType.FLOAT, exp.DType.DOUBLE),
    *(exp.DType.BOOLEAN, exp.DType.CHAR, exp.DType.NCHAR, exp.DType.VARCHAR, exp.DType.NVARCHAR, exp.DType.TEXT),
    *(exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ),
})  # fmt: skip

_TABLE_ARGUMENTS = {"this", "db", "alias", "joins"}
_SIMPLE_NAME = re.compile(r"[^\W\d]\w*")
_WORD = re.compile(r"[A-Za-z]+")
_MOMENT = re.compile(r"(?:%-?[A-Za-z]|[^A-Za-z%])*")


def check(tree: exp.Expr, place: Place) -> None:
    """Raise WarehouseError for the first thing in the tree of a statement at ``place`` that is not offered."""
    if not isinstance(tree, QUERIES + CHANGES):
        raise place.fault(f"{place.text[place.offset :].split(maxsplit=1)[0].upper()} is not offered here.")
    for node in tree.walk():
        reason = _reason(node, tree)
        if reason:
            raise place.at(_offset_near(node, place.offset)).fault(reason)


def table_references(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables that no WITH of the query names."""
    for table in tree.find_all(exp.Table):
        if table.args.get("db") or not _is_named_by_with(table):
            yield table


def offset_of(node: exp.Expr, otherwise: int = 0) -> int:
    """Return where the node begins in the text, as well as that is known."""
    known = [one.meta["start"] for one in node.walk() if "start" in one.meta]
    return min(known, default=otherwise)


def _offset_near(node: exp.Expr, otherwise: int) -> int:
    around: exp.Expr | None = node
    while around is not None:
        offset = offset_of(around, -1)
        if offset >= 0:
            return offset
        around = around.parent
    return otherwise


def _reason(node: exp.Expr, tree: exp.Expr) -> str:
    """Return why the node is not offered, or nothing."""
    if type(node) not in OFFERED:
        return f"{_called(node)} is not offered here."
    if isinstance(node, CHANGES) and node is not tree:
        return "A change cannot stand inside another statement."
    if isinstance(node, exp.Values) and not isinstance(tree, exp.Insert):
        return "VALUES stands in INSERT only."
    for kind, rule in _RULES.items():
        if isinstance(node, kind):
            return rule(node)
    return ""


def _reason_of_alias(node: exp.Expr) -> str:
    name = node.alias if isinstance(node, exp.CTE) else node.name
    if name and not _SIMPLE_NAME.fullmatch(name):
        return f"“{name}” cannot name a table; use letters, digits and underscores."
    return ""


def _reason_of_with(node: exp.Expr) -> str:
    recursive = node.args.get("recursive")
    return "WITH RECURSIVE is not offered here; Redshift has had it only since 2021." if recursive else ""


def _reason_of_type(node: exp.Expr) -> str:
    return "" if node.this in TYPES else f"The type {node.sql('redshift')} is not offered here."


def _reason_of_part(node: exp.Expr) -> str:
    return "" if _WORD.fullmatch(node.name) else f"“{node.name}” is no part of a date."


def _reason_of_count(node: exp.Expr) -> str:
    return "" if _is_count(node.args.get("expression")) else "LIMIT, TOP and OFFSET take a whole number."


def _reason_of_moment(node: exp.Expr) -> str:
    if _is_moment(node.args.get("format")):
        return ""
    return "The format may be made of YYYY, MM, DD, HH24, HH12, MI, SS, MS, AM and TZ."


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"The function {node.name.upper()}"
    if isinstance(node, exp.Func):
        return f"The function {node.sql_name()}"
    return node.key.upper()


def _reason_of_table(table: exp.Expr) -> str:
    if not isinstance(table.this, exp.Identifier):
        return f"{_called(table.this)} is not offered as a table."
    extra = [name for name, value in table.args.items() if value and name not in _TABLE_ARGUMENTS]
    if extra:
        return f"{extra[0].upper()} is not offered with a table."
    if not _SIMPLE_NAME.fullmatch(table.name):
        return f"“{table.name}” is no table; files and functions are not offered as tables."
    return ""


def _is_count(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal() and len(node.name) < 19


def _is_moment(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and _MOMENT.fullmatch(node.name) is not None


def _is_named_by_with(table: exp.Table) -> bool:
    """Whether a WITH around the table names it: one of the whole query, or one before the query it stands in."""
    node: exp.Expr | None = table
    while node is not None and node.parent is not None:
        above = node.parent
        if isinstance(above, exp.With):
            visible, node = above.expressions[: node.index], above.parent
        else:
            clause = above.args.get("with_")
            visible, node = clause.expressions if clause else [], above
        if any(one.alias.lower() == table.name.lower() for one in visible):
            return True
    return False


_RULES: Mapping[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[exp.Expr], str]] = {
    exp.Table: _reason_of_table,
    (exp.CTE, exp.TableAlias): _reason_of_alias,
    exp.With: _reason_of_with,
    exp.DataType: _reason_of_type,
    exp.Var: _reason_of_part,
    (exp.Limit, exp.Offset): _reason_of_count,
    (exp.TimeToStr, exp.StrToDate, exp.StrToTime): _reason_of_moment,
}
