"""One cluster for several tenants: Kerberos says who asks, EMRFS chooses a role, and S3 decides by that role."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from labs.findings import Finding, Findings, Refused, Report
from labs.matrices import Matrix
from labs.parts.object_store import AccessDeniedError, Credentials, ObjectStore

from . import account, configuration, demonstration, logins, matrix, node_credentials
from .demonstration import DEFAULT, ENGINEERING, SCIENCE, STEPS, Action, Engine, Outcome, Step
from .emrfs import Node, Session
from .hadoop import HadoopEngine
from .logins import MasterNode
from .matrix import OPERATIONS, SHARED_KEY, Asked
from .tables import DuckDBEngine

RESTRICTED = "EMR_EC2_RestrictedRole"
PAYROLL = "emrfs-auth-default-bucket-demo-payroll"
JOBS = ("list", "read", "write", "delete")
"""The operations that a tenant's jobs need."""
OUTCOME: Mapping[str, tuple[str, ...]] = {
    "admin1": (SCIENCE, ENGINEERING, DEFAULT, PAYROLL),
    "dataeng1": (ENGINEERING,),
    "datascientist1": (SCIENCE,),
    "guest": (DEFAULT,),
}
"""Whose jobs the article lets into which bucket; the payroll is ours and stands for every bucket it does not name."""

SUCCEEDED: Mapping[str, Action] = {
    "listings": Action.LIST,
    "tables_created": Action.CREATE,
    "inserts": Action.INSERT,
    "lists_of_tables": Action.SHOW,
    "selects": Action.SELECT,
}
"""The statements of the demonstration that succeeded, by what the findings call them."""

Engines = Callable[[Mapping[str, Session], Node, Sequence[str]], Engine]


@dataclass(frozen=True)
class Parameters:
    """What a learner sets; ``lab.toml`` says what each is for."""

    instance_role: str
    kdc: str
    directory: str
    configuration: str
    roles: str
    buckets: str
    people: str


def run(parameters: Parameters, seed: int, report: Report) -> Findings:  # noqa: ARG001 (nothing here is drawn)
    """Log everybody in, let everybody ask for everything, and carry out the article's demonstration with DuckDB.

    The same parameters give the same findings. Raises Refused for a text that cannot be used, with each fault.
    """
    return _play(parameters, report, lambda sessions, _, buckets: DuckDBEngine(sessions, buckets))


def live(parameters: Parameters, seed: int, report: Report) -> Findings:  # noqa: ARG001 (nothing here is drawn)
    """Do the same with Hadoop's own file system commands and Spark SQL over a Hive metastore. Raises Refused."""
    return _play(parameters, report, HadoopEngine)


def _play(parameters: Parameters, report: Report, engines: Engines) -> Findings:
    """Do everything, the demonstration with the engine that ``engines`` makes."""
    began = time.monotonic()
    roles = account.roles(parameters.roles)
    buckets = account.buckets(parameters.buckets)
    people = account.people(parameters.people)
    configured = configuration.read(parameters.configuration, [role.name for role in roles], logins.REALM)
    names = [bucket.name for bucket in buckets]
    progress = Progress(report, len(people) * len(buckets))
    with (
        logins.master_node(people, parameters.kdc, parameters.directory) as master,
        ObjectStore(account=account.NUMBER, buckets=buckets, roles=roles) as store,
    ):
        _fill(store, names)
        credentials = _instance_credentials(store, parameters.instance_role, [role.name for role in roles])
        node = Node(store, parameters.instance_role, credentials, configured)
        sessions = {user: _log_in(master, node, user, progress) for user in people}
        asked = [one for session in sessions.values() for name in names for one in _ask(node, session, name, progress)]
        outcomes = demonstration.show(engines(sessions, node, names), people)
        shell = node_credentials.picture(node, names)
        reverse = master.is_trusted_by_the_directory()
        decided = len(store.decisions)
    report.log(f"{decided} requests were decided by policies; everything took {time.monotonic() - began:.1f} s.")
    return {
        "access": Finding(matrix.picture(asked).value(), "requests by user and bucket"),
        "demonstration": Finding(demonstration.picture(outcomes).value(), "statements of the article"),
        "from_a_shell_on_the_node": Finding(shell.value(), "roles tried with the node's credentials"),
        **_of_the_cluster(parameters, sessions, reverse=reverse),
        **_of_the_matrix(asked),
        **_of_the_demonstration(outcomes),
        "payroll_from_a_shell": Finding(_opens(shell, PAYROLL), "yes or no"),
        "decisions": Finding(decided, "decisions"),
    }


class Progress:
    """Counts what is done, for the bar and for the drawing."""

    def __init__(self, report: Report, cells: int) -> None:
        self._report = report
        self._cells = cells
        self._done = 0
        self._counts: Counter[str] = Counter({"logins": 0, "granted": 0, "denied_by_sts": 0, "denied_by_s3": 0})

    def login(self, name: str, groups: frozenset[str]) -> None:
        """Tell of a login."""
        self._counts["logins"] += 1
        self._report.log(f"{name}@{logins.REALM} is on the node; groups: {', '.join(sorted(groups)) or 'none'}.")
        self._tell()

    def cell(self, asked: Sequence[Asked]) -> None:
        """Tell of the answers of one cell."""
        self._done += 1
        self._counts.update(one.outcome for one in asked)
        self._report.progress(0.9 * self._done / max(1, self._cells))
        self._tell()

    def _tell(self) -> None:
        self._report.metric(self._done, **self._counts)


def _fill(store: ObjectStore, buckets: Sequence[str]) -> None:
    root = store.client("s3", store.root)
    for bucket in buckets:
        root.put_object(Bucket=bucket, Key=SHARED_KEY, Body=b"1,2018-02-12\n")


def _instance_credentials(store: ObjectStore, role: str, roles: Sequence[str]) -> Credentials:
    if role not in roles:
        raise Refused(f"The instances are to have the role {role}, which the account has not; write it under Roles.")
    try:
        return store.instance_profile(role)
    except AccessDeniedError:
        raise Refused(f"EC2 may not assume {role}; let its trust policy name the service ec2.amazonaws.com.") from None


def _log_in(master: MasterNode, node: Node, user: str, progress: Progress) -> Session:
    name, groups = master.log_in(user)
    progress.login(name, groups)
    return Session(node, name, groups)


def _ask(node: Node, session: Session, bucket: str, progress: Progress) -> list[Asked]:
    asked = [matrix.ask(node, session, bucket, operation) for operation in OPERATIONS]
    progress.cell(asked)
    return asked


def _of_the_cluster(parameters: Parameters, sessions: Mapping[str, Session], *, reverse: bool) -> Findings:
    return {
        "logins": Finding(len(sessions), "people"),
        "directory_trusts_cluster": Finding(reverse, "yes or no"),
        "restricted_role": Finding(parameters.instance_role == RESTRICTED, "yes or no"),
    }


def _of_the_matrix(asked: Sequence[Asked]) -> Findings:
    outcomes = Counter(one.outcome for one in asked)
    unmapped = [one for one in asked if not one.chosen.mapping]
    missed = {
        user: sum(_is_missed(asked, user, bucket, opened=bucket in opened) for bucket in OUTCOME["admin1"])
        for user, opened in OUTCOME.items()
    }
    payroll = [one for one in asked if (one.user, one.bucket, one.operation) == ("guest", PAYROLL, "read")]
    owners = [one for one in asked if one.user != "admin1" and one.operation == "delete bucket"]
    return {
        "requests": Finding(len(asked), "requests"),
        "granted": Finding(outcomes["granted"], "requests"),
        "denied_by_s3": Finding(outcomes["denied_by_s3"], "requests"),
        "denied_by_sts": Finding(outcomes["denied_by_sts"], "requests"),
        "asked_without_mapping": Finding(len(unmapped), "requests"),
        "granted_without_mapping": Finding(sum(one.granted for one in unmapped), "requests"),
        "outcomes_missed": Finding(sum(missed.values()), "of 16 pairs of user and bucket"),
        "tenants_missed": Finding(sum(missed.values()) - missed["admin1"], "of 12 pairs of user and bucket"),
        "mona_reads_science": Finding(_reads(asked, "mona", SCIENCE), "yes or no"),
        "mona_reads_engineering": Finding(_reads(asked, "mona", ENGINEERING), "yes or no"),
        "guest_reads_payroll": Finding(_reads(asked, "guest", PAYROLL), "yes or no"),
        "guest_payroll_by_prefix": Finding(any(one.chosen.by_prefix for one in payroll), "yes or no"),
        "tenants_deleting_buckets": Finding(sum(one.granted for one in owners), "pairs of user and bucket"),
    }


def _granted(asked: Sequence[Asked], user: str, bucket: str, operations: Collection[str]) -> list[bool]:
    return [one.granted for one in asked if (one.user, one.bucket) == (user, bucket) and one.operation in operations]


def _is_missed(asked: Sequence[Asked], user: str, bucket: str, *, opened: bool) -> bool:
    """Return whether jobs lack something in a bucket that is to be open to them, or get anything in another."""
    granted = _granted(asked, user, bucket, JOBS)
    return not (granted and all(granted)) if opened else any(granted)


def _reads(asked: Sequence[Asked], user: str, bucket: str) -> bool:
    return any(_granted(asked, user, bucket, {"read"}))


def _of_the_demonstration(outcomes: Sequence[Outcome]) -> Findings:
    granted = Counter(step.action for step, outcome in zip(STEPS, outcomes, strict=True) if outcome.granted)
    return {
        **{name: Finding(granted[action], "statements") for name, action in SUCCEEDED.items()},
        "statements_missed": Finding(sum(map(_differs, STEPS, outcomes)), "of 10 statements"),
    }


def _differs(step: Step, outcome: Outcome) -> bool:
    return step.granted != outcome.granted


def _opens(shell: Matrix, bucket: str) -> bool:
    return any(answer.granted for place, answer in shell.named() if f", {bucket}, " in place)
