"""Saving answers while 100, 10,000 and 1,000,000 attempts are stored: three sites of one machine, asked in turns.

Every stored attempt is closed and whole: its form, its 65 responses and its row for statistics, copies of one that was
sat over HTTP, each of ten belonging to another person. A million take about 10 GB beside the temporary files.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.learners import QUESTIONS, ArchwayLearner
from benchmarks.measure import Client, archway
from benchmarks.promises import Promise, record
from benchmarks.teams import PHASES, Team, race

SIZES = (100, 10_000, 1_000_000)
ROUNDS = 9
GROWTH = 1.25
DATABASE = "archway.sqlite3"

_SETTINGS = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;"
_CLOSE = """
UPDATE quizzes_attempt SET closed_at = started_at + 3600000, scaled = 700,
    answers = (SELECT json_group_array(answer) FROM quizzes_response WHERE attempt_id = quizzes_attempt.id)
"""
_SERIES = "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :count) "
_PEOPLE = f"""
{_SERIES} INSERT INTO accounts_person (name, role, theme, language, created_at)
SELECT 'Guest', 'learner', 'auto', '', 0 FROM series
"""
_ATTEMPTS = f"""
{_SERIES} INSERT INTO quizzes_attempt
    (person_id, exam, seed, form, places, started_at, deadline, closed_at, answers, scaled)
SELECT 1 + n % :people, exam, seed, form, places, started_at, deadline, closed_at, answers, scaled
FROM series CROSS JOIN quizzes_attempt AS sat WHERE sat.id = 1
"""
_RESPONSES = """
INSERT INTO quizzes_response
SELECT copy.id, place, late, revision, answer, flagged, answered_at, received_at
FROM quizzes_attempt AS copy CROSS JOIN quizzes_response AS given WHERE copy.id > 1 AND given.attempt_id = 1
"""


def main() -> None:
    """Fill a database for each size, then let the same learners answer at all of them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many attempts are stored")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sat = folder / "sat"
        sat.mkdir()
        with archway(folder=sat) as site:
            save = ArchwayLearner(Client(site.port)).begin()
            for place in range(1, QUESTIONS + 1):
                save(place)
        teams = []
        for size in options.sizes:
            shutil.copytree(sat, folder / str(size))
            start = time.perf_counter()
            fill(folder / str(size) / DATABASE, size)
            megabytes = (folder / str(size) / DATABASE).stat().st_size / 1e6
            print(f"{size:,} attempts: {megabytes:,.0f} MB, stored in {time.perf_counter() - start:.0f} s", flush=True)
            site = stack.enter_context(archway(folder=folder / str(size)))
            teams.append(Team(f"{size:,}", site, lambda client, _: ArchwayLearner(client)))
        race(teams, options.rounds)
        print(f"\n{table(teams)}")
        fewest, most = teams[0], teams[-1]
        kept = [
            Promise(
                f"p99 of saving with {most.name} attempts stored, learners at once: {learners}",
                most.median_p99(learners),
                "ms",
                against=f"{fewest.name} stored",
                other=fewest.median_p99(learners),
                ratio_bound=GROWTH,
            )
            for learners, _ in PHASES
        ]
        record("answers_at_scale", kept)


def fill(path: Path, attempts: int) -> None:
    """Store copies of the one attempt in the database until it holds so many."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(_SETTINGS)
    people = max(1, attempts // 10)
    connection.execute(_CLOSE)
    connection.execute(_PEOPLE, {"count": people})
    connection.execute(_ATTEMPTS, {"count": attempts - 1, "people": people})
    connection.execute(_RESPONSES)
    stored = connection.execute("SELECT count(*) FROM quizzes_response").fetchone()
    connection.close()
    if stored != (attempts * QUESTIONS,):
        raise AssertionError(stored)


def table(teams: Sequence[Team]) -> str:
    """Return a Markdown table; growth is against the smallest database."""
    rows = [
        "| learners at once | attempts stored | p50 ms | p99 ms | growth of the p99 | CPU ms an answer, least |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for learners, _ in PHASES:
        for team in teams:
            growth = team.median_p99(learners) / teams[0].median_p99(learners)
            rows.append(
                f"| {learners} | {team.name} | {team.all(learners).percentile(50):.2f} "
                f"| {team.median_p99(learners):.2f} | × {growth:.2f} | {team.least_cpu_ms(learners):.3f} |"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
