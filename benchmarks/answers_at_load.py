"""Saving answers: one learner, then twenty at once, each with 65 answers, at Archway, at its ceilings and at Kolibri.

The learners are threads of this process; what they cost is printed but not counted, since a server's CPU is read from
/proc. Every answer is synced to the disk before it is acknowledged, everywhere.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.learners import ArchwayLearner, BareLearner, KolibriLearner
from benchmarks.measure import archway, free_port, running, serving
from benchmarks.promises import Promise, record
from benchmarks.teams import MOST, PHASES, Team, race

ROUNDS = 5
PASSWORD = "learners-only"


def main() -> None:
    """Run all in turns and print a table for each phase, and what was promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kolibri", type=Path, default=Path(".venv-kolibri"), help="the environment that has Kolibri")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with ExitStack() as stack:
        database = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bare.sqlite3")
        site = stack.enter_context(archway())
        bare = stack.enter_context(serving("bare", ["-m", "benchmarks.bare"], {"BARE_DATABASE": database}))
        ours = Team("Archway", site, lambda client, _: ArchwayLearner(client))
        core = Team("ceiling: Flask + SQLAlchemy Core", bare, lambda client, _: BareLearner(client))
        driver = Team("floor: Flask + sqlite3 alone", bare, lambda client, _: BareLearner(client, checked=False))
        teams = [ours, core, driver]
        if (options.kolibri / "bin/kolibri").exists():
            teams.append(stack.enter_context(kolibri(options.kolibri / "bin/kolibri", options.rounds + 1)))
        else:
            print(f"Kolibri is not in {options.kolibri}, so it is not measured.\n")
        own = race(teams, options.rounds)
        kept = []
        for learners, _ in PHASES:
            cpu, ceiling = ours.least_cpu_ms(learners), core.least_cpu_ms(learners)
            print(f"{table(teams, ceiling, learners)}\n")
            what = f"saving an answer, learners at once: {learners}"
            kept.append(Promise(what, cpu, "ms CPU", None, "Flask + Core", ceiling, 1.5))
            kept += [
                Promise(what, cpu, "ms CPU", None, peer.name, peer.least_cpu_ms(learners), 1 / 12) for peer in teams[3:]
            ]
        kept.append(Promise(f"saving an answer, p99 with {MOST} at once", ours.all(MOST).percentile(99), "ms", 100))
        record("answers_at_load", kept)
        print(f"The learners themselves took {own:.2f} ms of CPU an answer, which no figure contains.")


@contextmanager
def kolibri(program: Path, rounds: int) -> Iterator[Team]:
    """Set up a Kolibri of its own with a class and its exams, start it, and sign the learners in."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        settings = {"KOLIBRI_HOME": home, "KOLIBRI_DISABLE_PING": "1", "KOLIBRI_ZIP_CONTENT_PORT": str(free_port())}
        exams = rounds * sum(count for _, count in PHASES)
        school = {"LEARNERS": str(MOST), "EXAMS": str(exams), "PASSWORD": PASSWORD}

        def manage(arguments: str, script: bytes = b"") -> str:
            command = [program, "manage", *arguments.split()]
            environment = {**os.environ, **settings, **school}
            return subprocess.run(
                command, env=environment, input=script, capture_output=True, check=True
            ).stdout.decode()

        manage(
            "provisiondevice --facility School --preset nonformal --language_id en --noinput "
            f"--superusername teacher --superuserpassword {PASSWORD}"
        )
        printed = manage("shell", Path(__file__).with_name("kolibri_school.py").read_bytes()).splitlines()
        ids = [line.removeprefix("exam ") for line in printed if line.startswith("exam ")]
        command = [str(program), "start", "--foreground", "--port", str(port)]
        with running("Kolibri", command, settings, port) as site:
            yield Team(
                "Kolibri 0.19.5", site, lambda client, number: KolibriLearner(client, f"learner{number}", PASSWORD, ids)
            )


def table(teams: Sequence[Team], ceiling: float, learners: int) -> str:
    """Return a Markdown table of one phase; ``ceiling`` is the CPU an answer, in ms, that ratios refer to."""
    title = "one learner" if learners == 1 else f"{learners} learners at once"
    heads = (title, "answers/s", "p50 ms", "p99 ms", "CPU ms, least", "median", "of the ceiling's", "RSS MB", "PSS MB")
    rows = [f"| {' | '.join(heads)} |", f"|---{'|--:' * (len(heads) - 1)}|"]
    for team in teams:
        every, least = team.all(learners), team.least_cpu_ms(learners)
        median = statistics.median(sitting.cpu_ms for sitting in team.sittings[learners])
        rows.append(
            f"| {team.name} | {len(every.waits) / every.seconds:.0f} | {every.percentile(50):.1f} "
            f"| {every.percentile(99):.1f} | {least:.3f} | {median:.3f} | × {least / ceiling:.2f} "
            f"| {team.site.megabytes('Rss'):.0f} | {team.site.megabytes('Pss'):.0f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
