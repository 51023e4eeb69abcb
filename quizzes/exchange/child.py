"""The child process of an import: under limits it reads a file of a stranger and compares its items with the banks'.

It reads from its standard input a line of JSON (the format, the sizes of what follows), the known items as JSON and
the file; it writes a line of JSON at each step, and the compared file at the end.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from typing import Any, BinaryIO

DONE, MEMORY, ERROR = 0, 13, 14
"""Exit statuses."""


def main(source: BinaryIO, target: BinaryIO) -> int:
    """Read one job and do it; return the exit status."""
    # What is made here is kept to the end; looking for garbage in it would take a fifth of the time.
    gc.disable()
    job = json.loads(source.readline())
    resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (job["seconds"], job["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _work(job, source, target)
    except MemoryError:
        return MEMORY
    return DONE


def _work(job: dict[str, Any], source: BinaryIO, target: BinaryIO) -> None:
    sys.path.insert(0, job["root"])
    from quizzes.exchange import compare, wire  # noqa: PLC0415 (the same)
    from quizzes.formats import registry  # noqa: PLC0415 (within the limits, and after the path is set)
    from quizzes.questions import item_of  # noqa: PLC0415 (the same)

    def tell(step: str, count: int) -> None:
        target.write(json.dumps({"step": step, "count": count}).encode() + b"\n")
        target.flush()

    known = [compare.Known(one["place"], item_of(**one["item"])) for one in json.loads(source.read(job["known"]))]
    data = source.read(job["size"])
    found = registry.find(job["format"]) or registry.detect(job["name"], data)
    if found is None or not found.reader:
        target.write(json.dumps({"step": "unknown", "count": 0}).encode() + b"\n")
        return
    tell("reading", len(data))
    reading = found.read(data)
    tell("comparing", len(reading.items))
    packed = wire.dump(compare.compare(found.name, reading, known))
    tell("done", len(packed))
    target.write(packed)
    target.flush()


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
