"""The statements that only Redshift has, each read word by word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from labs.parts.warehouse.faults import Place, WarehouseError
from labs.parts.warehouse.queries import read_query, tokens_of
from labs.parts.warehouse.statements import (
    AddPartition,
    Column,
    Copy,
    CreateExternalSchema,
    CreateExternalTable,
    CreateTable,
    Design,
    DropTable,
    Format,
    Location,
    Partition,
    Select,
    Statement,
    Transaction,
    Truncate,
    Unload,
)
from labs.parts.warehouse.words import Words

_PLAIN_TYPES = {
    "SMALLINT": ("SMALLINT", "INT2"),
    "INTEGER": ("INTEGER", "INT", "INT4"),
    "BIGINT": ("BIGINT", "INT8"),
    "REAL": ("REAL", "FLOAT4"),
    "DOUBLE": ("DOUBLE PRECISION", "DOUBLE", "FLOAT8", "FLOAT"),
    "BOOLEAN": ("BOOLEAN", "BOOL"),
    "DATE": ("DATE",),
    "TIMESTAMPTZ": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"),
    "TIMESTAMP": ("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"),
    "VARCHAR": ("STRING",),
}
"""DuckDB's name of a type and what Redshift, or Hive, calls it; a longer name stands before its beginning."""
_STRING_TYPES = {
    256: ("CHARACTER VARYING", "VARCHAR", "NVARCHAR", "TEXT", "BPCHAR"),
    1: ("CHARACTER", "CHAR", "NCHAR"),
}
"""How many bytes a string of Redshift's holds where no number is given."""
LONGEST_STRING = 65535
_ENCODINGS = (
    *("RAW", "BYTEDICT", "DELTA", "DELTA32K", "LZO", "MOSTLY8", "MOSTLY16", "MOSTLY32", "RUNLENGTH", "TEXT255"),
    *("TEXT32K", "ZSTD"),
)

_OPTIONS_WITHOUT_EFFECT = ("COMPUPDATE", "STATUPDATE")


def _type(words: Words) -> tuple[str, int | None]:
    """Return (the type as DuckDB names it, the most bytes of a string)."""
    for given, names in _STRING_TYPES.items():
        if any(words.take(name) for name in names):
            if not words.take("("):
                return "VARCHAR", given
            most = LONGEST_STRING if words.take("MAX") else words.number()
            words.need(")")
            if not 1 <= most <= LONGEST_STRING:
                raise words.fault(f"A string holds 1 to {LONGEST_STRING} bytes.", back=2)
            return "VARCHAR", most
    if words.take("DECIMAL") or words.take("NUMERIC"):
        precision, scale = 18, 0
        if words.take("("):
            precision = words.number()
            scale = words.number() if words.take(",") else 0
            words.need(")")
        if not (1 <= precision <= 38 and scale <= precision):
            raise words.fault("A DECIMAL has 1 to 38 digits, and its scale is not greater.", back=1)
        return f"DECIMAL({precision}, {scale})", None
    for known, names in _PLAIN_TYPES.items():
        if any(words.take(name) for name in names):
            return known, None
    raise words.fault("A type is expected here, such as INTEGER, DECIMAL(12, 2), VARCHAR(50), DATE or TIMESTAMP.")


def _listed(words: Words, one: Callable[[Words], Any]) -> tuple[Any, ...]:
    """Read one or more things in brackets with commas between them."""
    words.need("(")
    found = [one(words)]
    while words.take(","):
        found.append(one(words))
    words.need(")")
    return tuple(found)


def _names(words: Words) -> tuple[str, ...]:
    return _listed(words, Words.name)


def _table_name(words: Words) -> str:
    name = words.name()
    if words.take("."):
        if name != "public":
            raise words.fault("Tables of the warehouse itself are in the schema public.", back=2)
        name = words.name()
    return name


def _external_name(words: Words) -> tuple[str, str]:
    schema = words.name()
    words.need(".")
    return schema, words.name()


def _location(words: Words) -> Location:
    found = re.fullmatch(r"s3://([^/]+)/?(.*)", words.string(), re.DOTALL)
    if not found:
        raise words.fault("A location reads 's3://bucket/prefix'.", back=1)
    return Location(found[1], found[2])


def create_table(words: Words, place: Place) -> CreateTable:
    """Read what follows CREATE TABLE."""
    exists = words.take("IF NOT EXISTS")
    name = _table_name(words)
    designs = [Design()]

    def column(words: Words) -> Column | None:
        found, design = _column(words, designs[-1])
        designs.append(design)
        return found

    columns = tuple(one for one in _listed(words, column) if one)
    design = designs[-1]
    while not words.done:
        design = _table_attribute(words, design)
    known = {one.name for one in columns}
    for key in (*design.sort_keys, *filter(None, [design.distribution_key])):
        if key not in known:
            raise words.fault(f"The table has no column “{key}” to sort or distribute by.")
    return CreateTable(place, name, columns, design, exists)


def _column(words: Words, design: Design) -> tuple[Column | None, Design]:
    """Return (the column, or nothing for a key of the table; the table's design with what the column adds)."""
    if words.take("PRIMARY KEY") or words.take("UNIQUE"):
        # Redshift takes keys as hints and enforces none.
        _names(words)
        return None, design
    name = words.name()
    kind, most = _type(words)
    column = Column(name, kind, most)
    while True:
        if words.take("NOT NULL"):
            column = replace(column, required=True)
        elif words.take("ENCODE"):
            column = replace(column, encoding=_one_of(words, *_ENCODINGS))
        elif words.take("SORTKEY"):
            design = replace(design, sort_keys=(name,))
        elif words.take("DISTKEY"):
            design = replace(design, distribution="key", distribution_key=name)
        elif not (words.take("NULL") or words.take("PRIMARY KEY") or words.take("UNIQUE")):
            return column, design


def _table_attribute(words: Words, design: Design) -> Design:
    if words.take("DISTSTYLE"):
        return replace(design, distribution=_one_of(words, "EVEN", "KEY", "ALL"))
    if words.take("DISTKEY"):
        keys = _names(words)
        if len(keys) != 1:
            raise words.fault("DISTKEY takes one column.", back=1)
        return replace(design, distribution="key", distribution_key=keys[0])
    if words.take("SORTKEY") or words.take("COMPOUND SORTKEY") or words.take("INTERLEAVED SORTKEY"):
        return replace(design, sort_keys=_names(words))
    words.end()
    return design


def _one_of(words: Words, *choices: str) -> str:
    for choice in choices:
        if words.take(choice):
            return choice.lower()
    raise words.fault(f"{', '.join(choices)} is expected here.")


def drop_table(words: Words, place: Place) -> DropTable:
    """Read what follows DROP TABLE."""
    exists = words.take("IF EXISTS")
    return DropTable(place, _table_name(words), exists)


def truncate(words: Words, place: Place) -> Truncate:
    """Read what follows TRUNCATE."""
    words.take("TABLE")
    return Truncate(place, _table_name(words))


def copy(words: Words, place: Place) -> Copy:
    """Read what follows COPY."""
    table = _table_name(words)
    columns: tuple[str, ...] = ()
    if not words.take("FROM"):
        columns = _names(words)
        words.need("FROM")
    source = _location(words)
    form = Format()
    while not words.done:
        form = _copy_option(words, form)
    return Copy(place, table, columns, source, form)


def _copy_option(words: Words, form: Format) -> Format:
    if words.take("IGNOREHEADER"):
        words.take("AS")
        return replace(form, header_lines=words.number())
    if words.take("DATEFORMAT"):
        words.take("AS")
        return replace(form, date_format=_moment(words))
    if words.take("TIMEFORMAT"):
        words.take("AS")
        return replace(form, time_format=_moment(words))
    if words.take("EMPTYASNULL"):
        return replace(form, empty_as_null=True)
    if any(words.take(name) for name in _OPTIONS_WITHOUT_EFFECT):
        _one_of(words, "ON", "OFF", "PRESET")
        return form
    return _option(words, form, "COPY")


def _option(words: Words, form: Format, verb: str) -> Format:
    """Read an option that COPY and UNLOAD share."""
    if words.take("IAM_ROLE") or words.take("CREDENTIALS") or words.take("REGION"):
        words.take("AS")
        words.string()
        return form
    if words.take("GZIP"):
        return replace(form, gzip=True)
    if words.take("DELIMITER"):
        words.take("AS")
        return replace(form, delimiter=_character(words))
    if words.take("NULL"):
        words.take("AS")
        return replace(form, null=words.string())
    named = words.take("FORMAT AS") or words.take("FORMAT")
    if words.take("CSV"):
        form = replace(form, kind="csv", quote='"')
        if words.take("QUOTE"):
            words.take("AS")
            form = replace(form, quote=_character(words))
        return form
    if named and words.take("PARQUET"):
        return replace(form, kind="parquet")
    raise words.fault(f"This option of {verb} is not offered here.")


def _character(words: Words) -> str:
    found = words.string().replace("\\t", "\t")
    if len(found.encode()) != 1 or found in "\r\n":
        raise words.fault("One character of ASCII is expected here.", back=1)
    return found


_MOMENT = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH": "%H", "MI": "%M", "SS": "%S"}


def _moment(words: Words) -> str:
    """Read a format such as 'YYYY-MM-DD' and return it as strftime has it; 'auto' is empty."""
    found = words.string()
    if found.lower() == "auto":
        return ""
    made = re.sub("|".join(_MOMENT), lambda one: _MOMENT[one[0]], found)
    if re.search(r"(?<!%)[A-Za-z]", made):
        raise words.fault("A format here is 'auto' or made of YYYY, MM, DD, HH24, MI and SS.", back=1)
    return made


def unload(words: Words, place: Place) -> Unload:
    """Read what follows UNLOAD."""
    words.need("(")
    query = words.string()
    try:
        inner = read_query(tokens_of(query), query)
    except WarehouseError as error:
        raise words.fault(f"In the quoted query, {error}", back=1) from None
    if not isinstance(inner, Select):
        raise words.fault("UNLOAD takes a query.", back=1)
    words.need(")")
    words.need("TO")
    target = _location(words)
    form, parallel, overwrite = Format(null=""), True, False
    while not words.done:
        if words.take("ALLOWOVERWRITE"):
            overwrite = True
        elif words.take("HEADER"):
            form = replace(form, header_lines=1)
        elif words.take("ADDQUOTES"):
            form = replace(form, quote='"')
        elif words.take("PARALLEL"):
            parallel = _one_of(words, "ON", "TRUE", "OFF", "FALSE") in {"on", "true"}
        else:
            form = _option(words, form, "UNLOAD")
    return Unload(place, inner, target, form, parallel, overwrite)


def create_external_schema(words: Words, place: Place) -> CreateExternalSchema:
    """Read what follows CREATE EXTERNAL SCHEMA."""
    exists = words.take("IF NOT EXISTS")
    name = words.name()
    words.need("FROM DATA CATALOG")
    words.need("DATABASE")
    words.string()
    if words.take("REGION"):
        words.string()
    words.need("IAM_ROLE")
    words.string()
    words.take("CREATE EXTERNAL DATABASE IF NOT EXISTS")
    return CreateExternalSchema(place, name, exists)


def create_external_table(words: Words, place: Place) -> CreateExternalTable:
    """Read what follows CREATE EXTERNAL TABLE."""

    def column(words: Words) -> Column:
        return Column(words.name(), _type(words)[0])

    exists = words.take("IF NOT EXISTS")
    schema, name = _external_name(words)
    columns = _listed(words, column)
    partitions = _listed(words, column) if words.take("PARTITIONED BY") else ()
    # Hive's text format: fields end with character 1, unless another is given.
    form = Format(delimiter="\x01")
    if words.take("ROW FORMAT DELIMITED"):
        form = _delimited(words, form)
    elif words.take("ROW FORMAT SERDE"):
        form = _serde(words, form)
    if words.take("STORED AS"):
        kind = _one_of(words, "TEXTFILE", "PARQUET")
        form = replace(form, kind="parquet") if kind == "parquet" else form
    words.need("LOCATION")
    location = _location(words)
    if words.take("TABLE PROPERTIES"):
        given = _properties(words)
        lines = given.get("skip.header.line.count", "0")
        form = replace(form, header_lines=int(lines) if lines.isascii() and lines.isdecimal() else 0)
    return CreateExternalTable(place, schema, name, columns, partitions, location, form, exists)


def _delimited(words: Words, form: Format) -> Format:
    if words.take("FIELDS TERMINATED BY"):
        form = replace(form, delimiter=_character(words))
    if words.take("LINES TERMINATED BY") and words.string() not in {"\n", "\\n"}:
        raise words.fault("Lines end with '\\n' here.", back=1)
    return form


def _serde(words: Words, form: Format) -> Format:
    if words.string() != "org.apache.hadoop.hive.serde2.OpenCSVSerde":
        raise words.fault("Of the SERDEs, 'org.apache.hadoop.hive.serde2.OpenCSVSerde' is offered.", back=1)
    given = _properties(words) if words.take("WITH SERDEPROPERTIES") else {}
    return replace(
        form, kind="csv", delimiter=given.get("separatorChar", ",")[:1], quote=given.get("quoteChar", '"')[:1]
    )


def _properties(words: Words) -> Mapping[str, str]:
    def one(words: Words) -> tuple[str, str]:
        name = words.string()
        words.need("=")
        return name, words.string()

    return dict(_listed(words, one))


def add_partition(words: Words, place: Place) -> AddPartition:
    """Read what follows ALTER TABLE."""

    def value(words: Words) -> tuple[str, str]:
        name = words.name()
        words.need("=")
        return name, words.string()

    schema, name = _external_name(words)
    words.need("ADD")
    exists = words.take("IF NOT EXISTS")
    found = []
    while not words.done:
        words.need("PARTITION")
        pairs = _listed(words, value)
        words.need("LOCATION")
        found.append((tuple(one for one, _ in pairs), Partition(tuple(one for _, one in pairs), _location(words))))
    return AddPartition(place, schema, name, tuple(found), exists)


def _transaction(verb: str) -> Callable[[Words, Place], Transaction]:
    def read(words: Words, place: Place) -> Transaction:
        if not words.take("WORK"):
            words.take("TRANSACTION")
        return Transaction(place, verb)

    return read


FORMS: Mapping[str, Callable[[Words, Place], Statement]] = {
    "CREATE EXTERNAL SCHEMA": create_external_schema,
    "CREATE EXTERNAL TABLE": create_external_table,
    "CREATE TABLE": create_table,
    "DROP TABLE": drop_table,
    "ALTER TABLE": add_partition,
    "TRUNCATE": truncate,
    "COPY": copy,
    "UNLOAD": unload,
    "BEGIN": _transaction("BEGIN"),
    "START": _transaction("BEGIN"),
    "COMMIT": _transaction("COMMIT"),
    "END": _transaction("COMMIT"),
    "ROLLBACK": _transaction("ROLLBACK"),
    "ABORT": _transaction("ROLLBACK"),
}
"""By the words they begin with."""
