"""A long exam: thirty learners with 65 questions each over so many minutes, and what the server makes of its memory.

The pages' own requests are made too: each learner looks every four seconds whether something was answered elsewhere.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.learners import QUESTIONS
from benchmarks.measure import Client, Contestant, form_token, serving

LEARNERS, LOOKS, SAMPLES = 30, 4, 10
"""How many learners; seconds between two looks of a page; seconds between two samples of the server."""
WARM_UP = 0.5
"""The part of the time after which the server's memory should have settled."""


@dataclass
class Watch:
    """What was counted: answers by status, the waits of saves in seconds, and (hours, MB, open files) at moments.

    The moments are those at which everybody still answers: a report is other work, which needs memory of its own.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)


@dataclass
class Learner:
    """A guest who answers at the pace that an exam's time gives, and looks and reads as the page does."""

    client: Client
    watch: Watch
    pace: float
    dice: random.Random

    def sit(self) -> None:
        """Sit the exam to its end."""
        page, cookie = self._ask("GET", "/exams/saa-c01")
        form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        token = f"csrf_token={form_token(page)}".encode()
        _, _, headers = self.client.request("POST", "/exams/saa-c01/attempts", token, form)
        attempt, cookie = headers["Location"], headers["Set-Cookie"].partition(";")[0]
        page, _ = self._ask("GET", attempt, cookie)
        sent = {"Cookie": cookie, "Content-Type": "application/json", "X-CSRF-Token": form_token(page)}
        for place in self.dice.sample(range(1, QUESTIONS + 1), QUESTIONS):
            self._think(f"{attempt}/responses?version=-1", cookie)
            change = {"place": place, "revision": 1, "answer": "b", "flagged": False, "stamp": None}
            begun = time.perf_counter()
            status, _, _ = self.client.request(
                "POST", f"{attempt}/responses", json.dumps({"responses": [change]}).encode(), sent
            )
            self.watch.waits.append(time.perf_counter() - begun)
            self.watch.statuses[status] += 1
        found, _ = self._ask("GET", f"{attempt}/responses?version=-1", cookie)
        self.watch.stored.append(len(json.loads(found)["stored"]))
        form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.client.request("POST", f"{attempt}/submit", f"csrf_token={form_token(page)}".encode(), form)
        self._ask("GET", f"{attempt}/report", cookie)

    def _think(self, address: str, cookie: str) -> None:
        end = time.monotonic() + self.pace * self.dice.uniform(0.5, 1.5)
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(LOOKS, left))
            self._ask("GET", address, cookie)

    def _ask(self, method: str, path: str, cookie: str = "") -> tuple[bytes, str]:
        status, body, headers = self.client.request(method, path, None, {"Cookie": cookie})
        self.watch.statuses[status] += 1
        return body, (headers["Set-Cookie"] or "").partition(";")[0]


def main() -> None:
    """Let the learners sit, and print what was counted beside what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=130, help="how long the exam takes them")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder, serving("Archway", ["app.py"], {"ARCHWAY_INSTANCE": folder}) as site:
        print(report(soak(site, minutes), minutes))


def soak(site: Contestant, minutes: float) -> Watch:
    """Return what was counted of a site while the learners sat for so many minutes."""
    watch, begun = Watch(), time.monotonic()
    # By chance some take longer than the others; they end in time nevertheless.
    pace = 0.9 * minutes * 60 / QUESTIONS
    learners = [Learner(Client(site.port), watch, pace, random.Random(number)) for number in range(LEARNERS)]
    threads = [threading.Thread(target=learner.sit) for learner in learners]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if not watch.stored:
            watch.samples.append(((time.monotonic() - begun) / 3600, site.megabytes("Rss"), site.open_files()))
        time.sleep(SAMPLES)
    return watch


def report(watch: Watch, minutes: float) -> str:
    """Return a Markdown table of what was counted beside what is promised."""
    settled = watch.samples[int(len(watch.samples) * WARM_UP) :]
    hours, megabytes, files = zip(*settled, strict=True)
    slope = statistics.linear_regression(hours, megabytes).slope
    refused = sum(count for status, count in watch.statuses.items() if status >= 500)
    p99 = sorted(watch.waits)[len(watch.waits) * 99 // 100] * 1000
    rows = [
        f"| {LEARNERS} learners, {minutes:.0f} minutes | measured | promised |",
        "|---|--:|--:|",
        f"| answers sent, and found at the end | {len(watch.waits)}, {sum(watch.stored)} | {LEARNERS * QUESTIONS} |",
        f"| requests, and answers with a 5xx | {sum(watch.statuses.values())}, {refused} | 0 |",
        f"| saving an answer, p50 and p99 | {statistics.median(watch.waits) * 1000:.0f} ms, {p99:.0f} ms | 1,000 ms |",
        f"| memory in the second half, first and last | {megabytes[0]:.1f} MB to {megabytes[-1]:.1f} MB | |",
        f"| its slope | {slope:+.2f} MB/h | 1 MB/h |",
        f"| open files, least and most | {min(files)}, {max(files)} | the same |",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
