"""What a run of load is summed up to: what each service answered, and what became of what was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from labs.findings import Finding, Findings
from labs.parts.http_load import Answer

from . import faults
from .figures import percent, percentile
from .timeline import Timeline

RECOVERY = 0.5
"""Seconds that everything may take, after a fault, to be as before."""


def findings_of(timeline: Timeline) -> Findings:
    """Sum a run up."""
    kinds = timeline.links.kinds()
    parameters = timeline.system.parameters
    found = {faults.FINDINGS[parameters.fault]: Finding(value=True, unit="yes or no")}
    found |= _stored(timeline, kinds) | _updated(timeline) | {"queue": Finding(parameters.queue, "events")}
    for name, answers in timeline.answers.items():
        good = [one for one in answers if kinds[one.path] == "good"]
        found[f"{name}_requests"] = Finding(len(answers), "requests")
        found |= {f"{name}_{what}": one for what, one in _answered(good, *timeline.during).items()}
    return found


def _answered(good: Sequence[Answer], begin: float, end: float) -> dict[str, Finding]:
    """Return what became of good links: of those due while the fault lasted, of those due after it, and of all."""
    during = [one for one in good if begin <= one.due < end]
    after = [one for one in good if one.due >= end + RECOVERY]
    served = [one.seconds for one in during if one.status == 200]
    failed = [one.seconds for one in during if one.status != 200]
    return {
        "served_during_fault": Finding(percent(len(served), len(during)), "% of good links"),
        "served_after_fault": Finding(percent(_count(after, 200), len(after)), "% of good links"),
        "p50_during_fault": Finding(_ms(served, 50), "ms"),
        "p99_during_fault": Finding(_ms(served, 99), "ms"),
        "failing_p99": Finding(_ms(failed, 99), "ms"),
        "called_unknown": Finding(_count(good, 404), "good links"),
        "unavailable": Finding(_count(good, 503, 0), "good links"),
    }


def _stored(timeline: Timeline, kinds: Mapping[str, str]) -> dict[str, Finding]:
    accepted = [one for one in timeline.answers["push"] if one.status == 200]
    ids = {one.body.decode() for one in accepted}
    stored = Counter(row[0] for row in timeline.system.ask("SELECT message_id FROM ProgramTable"))
    unknown = [one for one in timeline.answers["push"] if kinds[one.path] == "unknown"]
    return {
        "accepted": Finding(len(accepted), "events"),
        "lost": Finding(len(ids - stored.keys()), "events"),
        "duplicates": Finding(stored.total() - len(stored), "items"),
        "rows": Finding(stored.total(), "items"),
        "wrongly_accepted": Finding(sum(kinds[one.path] in {"ended", "forged"} for one in accepted), "events"),
        "most_queued": Finding(timeline.most_queued, "events"),
        "unknown_requests": Finding(len(unknown), "requests"),
        "vain_lookups": Finding(timeline.system.services["push"].measurements().get("vain", 0), "lookups"),
    }


def _updated(timeline: Timeline) -> dict[str, Finding]:
    pushed = timeline.system.services["push"].measurements().get("pushed", [])
    waits = [seconds for published, seconds in pushed if published >= timeline.begun]
    return {
        "updates_sent": Finding(timeline.updates_sent, "updates"),
        "updates_pushed": Finding(len(waits), "updates"),
        "push_p50": Finding(_ms(waits, 50), "ms"),
        "push_p99": Finding(_ms(waits, 99), "ms"),
    }


def _count(answers: Iterable[Answer], *statuses: int) -> int:
    return sum(one.status in statuses for one in answers)


def _ms(seconds: Iterable[float], share: int) -> float:
    return round(1000 * percentile(seconds, share), 2)
