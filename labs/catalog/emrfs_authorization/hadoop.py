"""The demonstration with Hadoop, Spark and a Hive metastore themselves, each user's S3 connector with its own roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from labs.parts import hadoop

from .demonstration import Action, Outcome, Step
from .emrfs import AccessDenied, Node, Session

_S3A = "org.apache.hadoop.fs.s3a"
_CREDENTIALS = {
    "access.key": "access_key_id",
    "secret.key": "secret_access_key",
    "session.token": "session_token",
}


class HadoopEngine:
    """A Java machine for each listing and for each user's session of ``spark-sql``; one metastore for all."""

    def __init__(self, sessions: Mapping[str, Session], node: Node, buckets: Sequence[str]) -> None:
        self._sessions = sessions
        self._node = node
        self._buckets = buckets

    def carry_out(self, user: str, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Carry out a user's steps and return what became of each, in their order."""
        folder, store = Path("hadoop").resolve(), Path("metastore").resolve()
        hive = {
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={store};create=true",
            "hive.metastore.warehouse.dir": str(folder / "warehouse"),
        }
        programs = hadoop.Hadoop(user, folder / user, dict(self._core(self._sessions[user])), hive)
        # The listings come first, as they do in the demonstration.
        said = [programs.fs("-ls", f"s3://{step.bucket}/") for step in steps if step.action is Action.LIST]
        sql = [step.statement for step in steps if step.action is not Action.LIST]
        said += programs.spark_sql(sql) if sql else []
        return [Outcome(one.succeeded, _short(one.text)) for one in said]

    def _core(self, session: Session) -> Iterator[tuple[str, str]]:
        """Yield the settings of a user's connector: for each bucket the credentials that EMRFS would take for it.

        A bucket whose role STS refuses has none, and the connector asks S3 for nothing.
        """
        yield "fs.s3.impl", f"{_S3A}.S3AFileSystem"
        yield "fs.s3a.endpoint", self._node.store.endpoint
        yield "fs.s3a.path.style.access", "true"
        yield "fs.s3a.connection.ssl.enabled", "false"
        yield "fs.s3a.retry.limit", "1"
        yield "fs.s3a.attempts.maximum", "1"
        yield "fs.s3a.aws.credentials.provider", f"{_S3A}.TemporaryAWSCredentialsProvider"
        for bucket in self._buckets:
            try:
                credentials = session.credentials(session.choose(f"s3://{bucket}/").role)
            except AccessDenied:
                continue
            for name, field in _CREDENTIALS.items():
                yield f"fs.s3a.bucket.{bucket}.{name}", getattr(credentials, field)


def _short(text: str) -> str:
    """Return the line that tells a denial, else what was said without the times, in a few words."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "Time taken" not in line]
    denied = next((line for line in lines if "AccessDenied" in line or "Forbidden" in line), None)
    return (denied or " · ".join(lines) or "Done.")[:300]
