"""Statements as DuckDB's SQL; whatever comes from a learner is quoted or passes through sqlglot's generator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sqlglot import exp

from labs.parts.warehouse.statements import (
    Column,
    Copy,
    CreateExternalTable,
    CreateTable,
    DropTable,
    Format,
    Partition,
    Truncate,
    Unload,
)

# Control characters that no text has. Without a delimiter, each line is one field, to be split as Hive splits it.
_NO_DELIMITER = "\x1c\x1d\x1e\x1f"
_NO_NULL = "\x02\x03\x02\x03"
_BUFFER = 1 << 22
# Names of the warehouse's own have a period, which no other has.
_LINE = '"line."'


def query(tree: exp.Expr, now: float) -> str:
    """Return a query or a change as DuckDB's SQL; the warehouse's clock stands at ``now`` seconds since 1970."""
    made = tree.transform(_rewritten, now)
    for node in reversed(list(made.find_all(exp.Cast))):
        if node.to.this in exp.DataType.TEXT_TYPES:
            length = node.to.find(exp.Literal)
            node.to.set("expressions", None)
            if length:
                # Redshift cuts a text to the length of its type.
                node.replace(exp.Left(this=node.copy(), expression=length.copy()))
    return made.sql("duckdb", identify=True, comments=False)


def _rewritten(node: exp.Expr, now: float) -> exp.Expr:
    moment = datetime.fromtimestamp(now, UTC)
    if isinstance(node, exp.CurrentTimestamp):
        return exp.cast(exp.Literal.string(f"{moment:%Y-%m-%d %H:%M:%S}"), "timestamp")
    if isinstance(node, exp.CurrentDate):
        return exp.cast(exp.Literal.string(f"{moment:%Y-%m-%d}"), "date")
    if isinstance(node, exp.Identifier):
        # Redshift folds names to lower case, quoted ones too.
        return exp.to_identifier(node.name.lower(), quoted=True)
    if isinstance(node, exp.Table) and node.text("db").lower() not in {"", "public"}:
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
        node.set("this", exp.to_identifier(view_name(node.text("db"), node.name)))
    if isinstance(node, exp.Table | exp.Column):
        node.set("db", None)
    return node


def headed(tree: exp.Query) -> exp.Query:
    """Return the query with a name for every column of its result, as Redshift names them."""
    made = tree.copy()
    if isinstance(made, exp.Select):
        named = []
        for one in made.expressions:
            plain = isinstance(one, exp.Column | exp.Alias | exp.Star)
            name = one.sql_name().lower() if isinstance(one, exp.Func) else "?column?"
            named.append(one if plain else exp.alias_(one, name, quoted=True))
        made.set("expressions", named)
    return made


def create_table(statement: CreateTable) -> str:
    """Return the SQL that makes the table; a string longer than its column holds is refused, as in Redshift."""
    parts = []
    for column in statement.columns:
        made = f"{name(column.name)} {column.type}"
        if column.required:
            made += " NOT NULL"
        if column.bytes is not None:
            made += f" CHECK (strlen({name(column.name)}) <= {column.bytes})"
        parts.append(made)
    exists = "IF NOT EXISTS " if statement.if_not_exists else ""
    return f"CREATE TABLE {exists}{name(statement.name)} ({', '.join(parts)})"


def drop_table(statement: DropTable) -> str:
    """Return the SQL that ends the table."""
    return f"DROP TABLE {'IF EXISTS ' if statement.if_exists else ''}{name(statement.name)}"


def truncate(statement: Truncate) -> str:
    """Return the SQL that deletes every row of the table."""
    return f"DELETE FROM {name(statement.name)}"


def loads(statement: Copy, columns: Iterable[Column], paths: list[str]) -> Iterator[str]:
    """Yield the SQL that puts each file's rows into the table; a field that does not fit ends it and is told."""
    wanted = tuple(columns)
    form = statement.format
    into = f"INSERT INTO {name(statement.table)} ({', '.join(name(one.name) for one in wanted)})"
    if form.kind == "parquet":
        yield f"{into} SELECT {', '.join(name(one.name) for one in wanted)} FROM {_parquet(paths)}"
        return
    for path in paths:
        fields = ", ".join(_loaded(one, form, path) for one in wanted)
        source = _csv([path], tuple(one.name for one in wanted), form, "gzip" if form.gzip else "none")
        lines = f"row_number() OVER () + {form.header_lines}"
        yield f"{into} SELECT {fields} FROM (SELECT *, {lines} AS {_LINE} FROM {source}) AS file"


def _loaded(column: Column, form: Format, path: str) -> str:
    field = f"file.{name(column.name)}"
    if column.type == "VARCHAR":
        kept = f"nullif({field}, {text(form.null)})"
        return f"nullif({kept}, '')" if form.empty_as_null else kept
    told = (
        f"'Line ' || file.{_LINE} || {text(f' of {path}: “')} || {field} ||"
        f" {text(f'” is no {column.type} for the column “{column.name}”')}"
    )
    fitting = f"coalesce({_converted(field, column.type, form)}, error({told}))"
    return f"CASE WHEN {field} NOT IN ('', {text(form.null)}) THEN {fitting} END"


def _converted(field: str, kind: str, form: Format) -> str:
    """Return the field in that type, or NULL where it does not fit."""
    if kind.endswith("INT") or kind == "INTEGER":
        # A cast of its own would round 2.5.
        field = f"nullif(regexp_extract({field}, '^ *[+-]?[0-9]+ *$'), '')"
    moment = {"DATE": form.date_format}.get(kind, form.time_format if kind.startswith("TIMESTAMP") else "")
    return f"try_strptime({field}, {text(moment)})::{kind}" if moment else f"TRY_CAST({field} AS {kind})"


def store(statement: Unload, now: float) -> str:
    """Return the SQL that writes the query's rows to one object, named as Redshift names a slice's first."""
    form, target = statement.format, statement.target
    ending = ".gz" if form.gzip else ".parquet" if form.kind == "parquet" else ""
    path = f"s3://{target.bucket}/{target.prefix}{'0000_part_00' if statement.parallel else '000'}{ending}"
    options = ["FORMAT parquet"]
    if form.kind != "parquet":
        options = [
            "FORMAT csv",
            f"DELIMITER {text(form.separator)}",
            f"HEADER {bool(form.header_lines)}",
            f"NULLSTR {text(form.null)}",
            f"COMPRESSION {'gzip' if form.gzip else 'none'}",
        ]
        # Redshift quotes every field with ADDQUOTES and none without it.
        options += [f"QUOTE {text(form.quote)}", "FORCE_QUOTE *"] if form.quote else ["QUOTE ''", "ESCAPE ''"]
    return f"COPY ({query(statement.query.tree, now)}) TO {text(path)} ({', '.join(options)})"


def view(table: CreateExternalTable, parts: Iterable[tuple[Partition, list[str]]]) -> str:
    """Return the SQL of a view over the files of an external table, partition by partition.

    DuckDB leaves out the partitions whose constants contradict the query's conditions, as Spectrum does.
    """
    chosen = [_part(table, partition, paths) for partition, paths in parts if paths]
    if not chosen:
        columns = (*table.columns, *table.partition_columns)
        chosen = ["SELECT " + ", ".join(f"NULL::{one.type} AS {name(one.name)}" for one in columns) + " WHERE false"]
    called = name(view_name(table.schema, table.name))
    return f"CREATE OR REPLACE TEMPORARY VIEW {called} AS " + " UNION ALL ".join(chosen)


def view_name(schema: str, table: str) -> str:
    """Return what an external table's view is called."""
    return f"{schema}.{table}".lower()


def _part(table: CreateExternalTable, partition: Partition, paths: list[str]) -> str:
    constants = [
        f"CAST({text(value)} AS {column.type}) AS {name(column.name)}"
        for column, value in zip(table.partition_columns, partition.values, strict=True)
    ]
    source, fields = _fields(table, paths)
    return f"SELECT {', '.join(fields + constants)} FROM {source}"


def _fields(table: CreateExternalTable, paths: list[str]) -> tuple[str, list[str]]:
    """Return (what to select from, what to select of it)."""
    form, columns = table.format, table.columns
    if form.kind == "parquet":
        return _parquet(paths, columns), [name(one.name) for one in columns]
    if form.kind == "csv":
        source = _csv(paths, tuple(one.name for one in columns), form, "auto", "null_padding=true", "strict_mode=false")
        found = [name(one.name) for one in columns]
    else:
        plain = Format(delimiter=_NO_DELIMITER, header_lines=form.header_lines)
        lines = _csv(paths, ("line",), plain, "auto")
        source = f"(SELECT string_split(line, {text(form.separator)}) AS fields FROM {lines})"
        found = [f"nullif(fields[{number}], '\\N')" for number in range(1, len(columns) + 1)]
    # What does not fit its column is NULL, as in Hive.
    fitted = zip(columns, found, strict=True)
    return source, [f"{_converted(field, one.type, Format())} AS {name(one.name)}" for one, field in fitted]


def _parquet(paths: list[str], columns: Iterable[Column] = ()) -> str:
    """Return what reads the files; with columns given, no file is opened before it is read, not even for its schema."""
    named = [
        f"{text(one.name)}: {{name: {text(one.name)}, type: {text(one.type)}, default_value: NULL}}" for one in columns
    ]
    schema = f", schema=MAP {{{', '.join(named)}}}" if named else ""
    return f"read_parquet([{', '.join(map(text, paths))}]{schema})"


def _csv(paths: list[str], columns: tuple[str, ...], form: Format, compression: str, *more: str) -> str:
    """Return what reads the files' fields as texts, none of which is NULL unless it is missing."""
    options = [
        f"[{', '.join(map(text, paths))}]",
        f"columns={{{', '.join(f'{text(one)}: VARCHAR' for one in columns)}}}",
        # Otherwise DuckDB opens more files to guess at what is given already.
        *("auto_detect=false", "header=false"),
        f"delim={text(form.separator)}",
        f"quote={text(form.quote)}",
        f"escape={text(form.quote)}",
        f"skip={form.header_lines}",
        f"nullstr={text(_NO_NULL)}",
        f"compression={text(compression)}",
        # DuckDB's own buffer takes 32 MB a file.
        f"buffer_size={_BUFFER}",
        f"max_line_size={_BUFFER // 4}",
        *more,
    ]
    return f"read_csv({', '.join(options)})"


def name(one: str) -> str:
    """Return a name in quotes."""
    return '"' + one.replace('"', '""') + '"'


def text(one: str) -> str:
    """Return a text as a literal."""
    return "'" + one.replace("'", "''") + "'"
