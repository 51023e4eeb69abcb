"""Rounds of the reactive lab, in each of which one part is killed; prints what became of what was accepted.

A program of its own, since it forks. Its arguments say when the service answers 200 and how many rounds there are.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from labs import registry
from labs.catalog.reactive_tracking import load, programs
from labs.catalog.reactive_tracking.settings import Parameters
from labs.catalog.reactive_tracking.system import System, until
from labs.parts.http_load import Answer

SECONDS, RATE = 0.35, 300
PATIENCE = 4
"""Seconds in which everything that is not lost must have arrived."""
PARTS = ("service", "stream", "consumer", "updater", "store")


def main() -> None:
    random, rounds = Random(5), int(sys.argv[2])
    defaults = registry.read(registry.CATALOG / "reactive_tracking").defaults()
    mended = {"acknowledged": sys.argv[1], "cached_message": "copied", "item_key": "the message id"}
    drawn = programs.drawn(1, 200)
    links = load.links_to(drawn)
    order = random.sample(PARTS * (rounds // len(PARTS)), rounds)
    answers: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder, System(Parameters(**{**defaults, **mended}), Path(folder)) as system:
        served = system.started("push")
        system.publish(drawn)
        until("Redis has the programs", lambda: system.store.programs() >= len(drawn))
        plan = load.arrivals(load.taps(links, 0, random), RATE, rounds * SECONDS, random)
        begun = time.monotonic() + 0.3
        victims = {
            "service": served.process,
            **{name: getattr(system, name) for name in ("stream", "consumer", "updater", "store")},
        }
        with load.scheduled({"push": (served.port, plan)}, begun) as sent:
            ends = [begun + SECONDS * (number + random.random()) for number in range(rounds)]
            while sent.working:
                answers += [one for told in sent.told(0.02) for one in told["push"]]
                if ends and time.monotonic() > ends[0]:
                    ends.pop(0)
                    victim = victims[order.pop()]
                    victim.kill()
                    victim.start()
            answers += [one for told in sent.told(0) for one in told["push"]]
        accepted = {one.body.decode() for one in answers if one.status == 200}

        def missing() -> set[str]:
            return accepted - {row[0] for row in system.ask("SELECT message_id FROM ProgramTable")}

        end = time.monotonic() + PATIENCE
        while missing() and time.monotonic() < end:
            time.sleep(0.1)
        stored = Counter(row[0] for row in system.ask("SELECT message_id FROM ProgramTable"))
        found = {
            "asked": len(plan),
            "accepted": len(accepted),
            "lost": len(missing()),
            "duplicates": stored.total() - len(stored),
            "kills": rounds - len(order),
        }
        json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
