"""A data warehouse: DuckDB behind a front that understands what Redshift and Redshift Spectrum are told."""

from labs.parts.warehouse.faults import WarehouseError
from labs.parts.warehouse.limits import Limits
from labs.parts.warehouse.sessions import Result, Session, Warehouse
from labs.parts.warehouse.statements import (
    EVERYTHING,
    AddPartition,
    Change,
    Copy,
    CreateExternalSchema,
    CreateExternalTable,
    CreateTable,
    DropTable,
    Select,
    Transaction,
    Truncate,
    Unload,
)

__all__ = [
    "EVERYTHING",
    "AddPartition",
    "Change",
    "Copy",
    "CreateExternalSchema",
    "CreateExternalTable",
    "CreateTable",
    "DropTable",
    "Limits",
    "Result",
    "Select",
    "Session",
    "Transaction",
    "Truncate",
    "Unload",
    "Warehouse",
    "WarehouseError",
]
