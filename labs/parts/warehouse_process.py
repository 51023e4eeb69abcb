"""A DuckDB file in a process of its own, which can be killed as the machine under a warehouse can.

Its SQL is the lab's own: what a learner writes comes as parameters of it, or as keys of a bucket.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labs.parts.killable_process import KillableProcess, answer, wishes

MEMORY_MIB = 512
_BUFFER = 1 << 22
_ROW_GROUP = 8192


class WarehouseProcess(KillableProcess):
    """The process and its file; to be closed by a ``with`` statement.

    A transaction is seen by ``run`` at once and by ``look``, which has a connection of its own, when it is committed.
    """

    def __init__(self, file: Path, bucket: Path) -> None:
        super().__init__(Path(__file__), str(file), str(bucket))

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[list[Any]]:
        """Carry a statement out as the writer and return its rows; raise OSError where the process is gone."""
        return self._ask("run", sql, parameters)

    def look(self, sql: str, parameters: Sequence[Any] = ()) -> list[list[Any]]:
        """Return the rows of a query as another connection sees them; raise OSError where the process is gone."""
        return self._ask("look", sql, parameters)

    def _ask(self, who: str, sql: str, parameters: Sequence[Any]) -> list[list[Any]]:
        rows: list[list[Any]] = self.ask({"who": who, "sql": sql, "parameters": list(parameters)})["rows"]
        return rows


def csv_of(key: str, kinds: Sequence[tuple[str, str]]) -> str:
    """Return what to select from to read an object of the bucket, CSV whose columns have these (name, type)."""
    declared = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds)
    path = f"s3://bucket/{key}".replace("'", "''")
    return (
        f"read_csv(['{path}'], columns={{{declared}}}, auto_detect=false, header=false, delim=',', quote='\"',"
        f" escape='\"', buffer_size={_BUFFER}, max_line_size={_BUFFER // 4})"
    )


def serve(file: str, bucket: str) -> None:
    """Answer what comes on the standard input until it ends."""
    # Only the process itself needs DuckDB, and the lab that starts it must begin quickly.
    import duckdb  # noqa: PLC0415

    from labs.parts.bucket import DirectoryBucket  # noqa: PLC0415
    from labs.parts.warehouse.files import BucketFiles  # noqa: PLC0415

    writer = duckdb.connect(
        config={
            "threads": 1,
            # Each thread would reserve 64 MiB of addresses, which a run's limit of memory counts.
            "async_threads": 0,
            "memory_limit": f"{MEMORY_MIB}MiB",
            "max_temp_directory_size": "0MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            # An object may be written again under the same key.
            "enable_external_file_cache": False,
        },
    )
    # In groups of DuckDB's own size, each commit would write 122,880 wide rows anew.
    quoted = file.replace("'", "''")
    writer.execute(f"ATTACH '{quoted}' AS warehouse (ROW_GROUP_SIZE {_ROW_GROUP})")
    connections = {"run": writer, "look": writer.cursor()}
    for connection in connections.values():
        connection.execute("USE warehouse")
    for wish in wishes():
        # Anew each time, since others put objects into the folder.
        files = BucketFiles({"bucket": DirectoryBucket(Path(bucket))})
        if "s3" in writer.list_filesystems():
            writer.unregister_filesystem("s3")
        writer.register_filesystem(files)
        try:
            rows = connections[wish["who"]].execute(wish["sql"], wish["parameters"]).fetchall()
            answer({"rows": rows})
        except duckdb.Error as error:
            answer({"error": str(error)})


if __name__ == "__main__":
    serve(*sys.argv[1:])
