"""The faults that a learner may choose: what each does to the parts when it begins, and when it is over."""

from __future__ import annotations

from .system import EVENTS, System

NONE, LATE, BURST = "none", "Redis late", "four times the load"
"""The choices that do nothing to a part: they are about what is measured, and about the load."""

FINDINGS = {
    NONE: "calm",
    "Redis killed": "redis_killed",
    "Redis restarts empty": "redis_emptied",
    "stream frozen": "stream_frozen",
    "service killed": "service_killed",
    "machine lost": "machine_lost",
    "table write fails": "write_failed",
    BURST: "load_grew",
}
"""The choices that come with a load, and the finding that says which of them a run had."""


def begin(fault: str, system: System) -> None:
    """Let the fault begin."""
    if fault == "Redis killed":
        system.store.kill()
    elif fault == "Redis restarts empty":
        system.store.lose()
        system.store.start()
    elif fault == "stream frozen":
        system.stream.freeze()
    elif fault == "service killed":
        system.services["push"].process.kill()
    elif fault == "machine lost":
        system.services["push"].process.kill()
        system.journal("push", EVENTS).unlink(missing_ok=True)
    elif fault == "table write fails":
        system.write_fails.set(1)


def end(fault: str, system: System) -> None:
    """Let the fault be over."""
    if fault == "Redis killed":
        system.store.start()
    elif fault == "stream frozen":
        system.stream.thaw()
    elif fault in {"service killed", "machine lost"}:
        system.services["push"].process.start()
