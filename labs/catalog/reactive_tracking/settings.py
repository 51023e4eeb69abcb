"""What a learner sets, and the programs that everything is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameters:
    """What a learner sets; ``lab.toml`` says the bounds, the units and what each is for."""

    fault: str
    fault_seconds: float
    acknowledged: str
    updater: str
    cached_message: str
    outage_answer: str
    unknown_programs: str
    validation: str
    item_key: str
    after_restart: str
    rate: int
    programs: int
    unknown_share: float
    queue: int
    linger: int
    shards: int
    threads: int
    store: str
