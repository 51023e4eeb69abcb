"""A lesson's page, against a bare Flask page of the same size."""

from __future__ import annotations

from benchmarks.measure import archway, race, serving, table
from benchmarks.promises import Promise, record

REQUESTS = 400
LESSON = "/learn/solutions-architect-associate/resilient-architectures/durable-storage"


def main() -> None:
    """Run both in turns, as a reader who has been here before, and print the table."""
    with archway() as site, serving("bare Flask", ["-m", "benchmarks.bare"], {"BARE_DATABASE": ":memory:"}) as bare:
        _, page, headers = site.request("GET", LESSON)
        cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}

        def read(_number: int) -> None:
            status, body, _ = site.request("GET", LESSON, None, cookie)
            if status != 200 or abs(len(body) - len(page)) > 200:
                raise AssertionError(status)

        def read_bare(_number: int) -> None:
            bare.request("GET", f"/page/{len(page)}")

        race([(site, read), (bare, read_bare)], REQUESTS)
        print(f"{len(page)} bytes\n")
        print(table([site, bare]))
        record(
            "lesson_page",
            [Promise("a lesson's page", min(site.cpu_ms), "ms CPU", None, "bare Flask", min(bare.cpu_ms))],
        )


if __name__ == "__main__":
    main()
