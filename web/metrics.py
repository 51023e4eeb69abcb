"""What the site counts, for Prometheus: requests, answers, waiting and errors as they happen, queues as they stand."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

import config
from config import Settings
from db import Database
from web import requests, schedule
from web.queues import backlogs

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def init_app(app: Flask) -> None:
    """Count what happens in this application, where the settings have a token for those who may ask."""
    settings: Settings = app.extensions["settings"]
    if settings.metrics_token:
        app.extensions["metrics"] = Metrics(app)


def share(instance: Path) -> None:
    """Let this process and those that it starts count together, in a folder that goes when this one ends.

    It is in ``metrics/`` of the instance folder, and where a server was killed, the next one to start removes its
    folder. Without it, each process answers with its own counts alone.
    """
    folders = instance / "metrics"
    folders.mkdir(exist_ok=True)
    turn = _locked(folders, fcntl.LOCK_EX)
    for left in folders.iterdir():
        try:
            os.close(_locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue
        shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(dir=folders)
    # Its processes inherit the lock, so the folder is theirs until the last of them has ended.
    _locked(Path(folder), fcntl.LOCK_EX)
    os.close(turn)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config.share_metrics_in(Path(folder))
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def count_answers(stored: int = 0, late: int = 0, refused: int = 0) -> None:
    """Count answers that were kept and count, that were kept but came too late, and that were not taken."""
    metrics: Metrics | None = current_app.extensions.get("metrics")
    if metrics is not None:
        for outcome, count in (("stored", stored), ("late", late), ("refused", refused)):
            if count:
                metrics.answers[outcome].inc(count)


def _locked(folder: Path, how: int) -> int:
    """Lock a folder and return the descriptor that holds the lock until it is closed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


class Metrics:
    """The counters of one application, and the registry that adds to them what is read when somebody asks."""

    def __init__(self, app: Flask) -> None:
        counted = CollectorRegistry()
        self._requests = Counter(
            "archway_requests",
            "Requests, by the class of their status.",
            ("method", "route", "status"),
            registry=counted,
        )
        self._seconds = Histogram(
            "archway_request_seconds",
            "How long requests took.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=counted,
        )
        answers = Counter("archway_answers", "Answers that exams were sent.", ("outcome",), registry=counted)
        self.answers = {outcome: answers.labels(outcome) for outcome in ("stored", "late", "refused")}
        self._errors = Counter("archway_database_errors", "Errors of the database.", ("kind",), registry=counted)
        waits = Histogram(
            "archway_writer_wait_seconds",
            "How long writers of a SQLite database stood in line.",
            buckets=_SECONDS,
            registry=counted,
        )
        self._of_route: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        folder = config.metrics_folder()
        self.registry = CollectorRegistry()
        self.registry.register(
            MultiProcessCollector(None, str(folder)) if folder else counted  # type: ignore[no-untyped-call]
        )
        self.registry.register(_Processes(folder))
        self.registry.register(_Work(app))
        database: Database = app.extensions["database"]
        database.tell_wait = waits.observe
        event.listen(database.engine, "handle_error", self._count_error)
        app.after_request(self._count_request)

    def _count_request(self, answer: Response) -> Response:
        # A label is a series for ever: a made-up method or address is none.
        method = request.method if request.method in _METHODS else "other"
        route = request.url_rule.rule if request.url_rule else "none"
        key = method, route, answer.status_code // 100
        if key not in self._of_route:
            counter = self._requests.labels(method, route, f"{key[2]}xx")
            self._of_route[key] = counter, self._seconds.labels(method, route)
        counter, histogram = self._of_route[key]
        counter.inc()
        histogram.observe(requests.seconds())
        return answer

    def _count_error(self, context: ExceptionContext) -> None:
        self._errors.labels(type(context.original_exception).__name__).inc()


class _Processes(Collector):
    """Memory, CPU and open files of each process that counts."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield what the system knows of each, under its number."""
        found: dict[str, Metric] = {}
        for pid in self._pids():
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                whole = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                whole.samples += [sample._replace(labels={"pid": pid}) for sample in metric.samples]
        yield from found.values()

    def _pids(self) -> list[str]:
        if self._folder is None:
            return [str(os.getpid())]
        return sorted(path.stem.partition("_")[2] for path in self._folder.glob("counter_*.db"))


class _Work(Collector):
    """The rooms' queues, and whether the database answers at all."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """Yield what stands in the database; where it does not answer, only that."""
        jobs = GaugeMetricFamily("archway_queue_jobs", "Work by its state.", labels=("queue", "state"))
        oldest = GaugeMetricFamily(
            "archway_queue_oldest_seconds", "How long the oldest work waits; 0 where none does.", labels=("queue",)
        )
        try:
            found = backlogs(self._app)
        except SQLAlchemyError:
            found = {}
        for name, one in found.items():
            oldest.add_metric([name], one.oldest)
            for state, count in one.states.items():
                jobs.add_metric([name, state], count)
        yield GaugeMetricFamily("archway_database_up", "Whether the database answers.", value=float(bool(found)))
        yield from (jobs, oldest)
        swept = schedule.swept_at(self._app.extensions["settings"])
        if swept is not None:
            yield GaugeMetricFamily("archway_sweep_time_seconds", "When the schedule last swept.", value=swept)
