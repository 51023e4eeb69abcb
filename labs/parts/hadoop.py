"""Hadoop's and Spark's own programs as one user runs them: file system commands, and SQL over a Hive metastore.

Their jars come from two packages that Archway does not need otherwise: pyspark has Hadoop's client, Spark and Hive,
sagemaker-pyspark has the connector to S3. Nothing of their Python code is used.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from labs.findings import Refused

PACKAGES = {
    "pyspark": ("jars/*",),
    "sagemaker_pyspark": ("jars/hadoop-aws-*.jar", "jars/aws-java-sdk-bundle-*.jar"),
}
"""By the package's name when imported, the jars that are used of it."""
INSTALL = "pip install --no-deps pyspark==3.5.9 sagemaker-pyspark==1.4.5"
ADDRESS_SPACE = 2 << 30
"""Bytes that a Java machine with Spark may ask for; it takes a third of that."""
PATIENCE = 300
"""Seconds for one program; on a machine with two busy cores Spark has taken 60."""

_JAVA = (
    *("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    *("-XX:ReservedCodeCacheSize=64m", "-XX:CompressedClassSpaceSize=64m"),
)
_OPENED = ("lang", "lang.invoke", "io", "net", "nio", "util", "util.concurrent")
_OPENS = [f"--add-opens=java.base/java.{one}=ALL-UNNAMED" for one in _OPENED] + [
    f"--add-opens=java.base/sun.{one}=ALL-UNNAMED" for one in ("nio.ch", "security.action")
]


def is_installed() -> bool:
    """Return whether Java and both packages are on this machine."""
    return bool(shutil.which("java")) and all(map(find_spec, PACKAGES))


def class_path() -> str:
    """Return where Java finds the jars; raise Refused where something is not installed, or memory is too scarce."""
    if not is_installed():
        raise Refused(
            f"Hadoop needs Java and, in Archway's own environment, `{INSTALL}`; run without --live otherwise."
        )
    if 0 <= resource.getrlimit(resource.RLIMIT_AS)[0] < ADDRESS_SPACE:
        raise Refused(f"Spark needs more memory than a run may take; set ARCHWAY_LAB_MEMORY={ADDRESS_SPACE >> 20}.")
    found: list[str] = []
    for package, patterns in PACKAGES.items():
        spec = find_spec(package)
        folders = spec.submodule_search_locations if spec else None
        for folder in folders or ():
            found += [str(path) for pattern in patterns for path in sorted(Path(folder).glob(pattern))]
    return os.pathsep.join(found)


@dataclass(frozen=True)
class Said:
    """What a program said to a statement, and whether it succeeded."""

    succeeded: bool
    text: str


class Hadoop:
    """The programs with the configuration of one user, which lies in a folder that nobody else can read."""

    def __init__(self, user: str, folder: Path, core: Mapping[str, str], hive: Mapping[str, str]) -> None:
        self._user = user
        self._folder = folder
        self._class_path = os.pathsep.join([str(folder.resolve()), class_path()])
        folder.mkdir(mode=0o700, parents=True)
        core = {"hadoop.tmp.dir": str(folder.resolve()), **core}
        for name, properties in (("core-site.xml", core), ("hive-site.xml", hive)):
            (folder / name).write_text(_site(properties), "utf-8")
        (folder / "log4j2.properties").write_text(_LOGGING, "utf-8")

    def fs(self, *arguments: str) -> Said:
        """Run ``hadoop fs`` with these arguments."""
        done = self._run("-Xmx256m", "org.apache.hadoop.fs.FsShell", *arguments)
        return Said(done.returncode == 0, done.stdout)

    def spark_sql(self, statements: Sequence[str]) -> list[Said]:
        """Run ``spark-sql`` on statements, in one session that none of them ends; return what it said to each.

        Raises OSError where the program ends before the last one.
        """
        script = self._folder / "statements.sql"
        script.write_text("".join(f"select '{_MARK}';\n{one};\n" for one in statements), "utf-8")
        done = self._run("-Xmx512m", "-Xss2m", *_OPENS, *_SPARK_SQL, "-f", str(script))
        answers = done.stdout.split(f"{_MARK}\n")[1:]
        if len(answers) != len(statements):
            raise OSError(f"spark-sql ended with status {done.returncode}: {done.stdout[-300:]}")
        # What precedes each statement takes its time, too, and says so; what fails says nothing of its time.
        return [Said(one.count(_TOOK) == 2, one.partition("\n")[2]) for one in answers]

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*_JAVA, f"-Djava.io.tmpdir={self._folder.resolve()}", "-cp", self._class_path, *arguments]
        # One arena of memory for all threads; each would reserve 64 MiB of addresses, which the run's limit counts.
        environment = {"PATH": os.defpath, "HADOOP_USER_NAME": self._user, "MALLOC_ARENA_MAX": "1", "LANG": "C.UTF-8"}
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def _site(properties: Mapping[str, str]) -> str:
    lines = (
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in properties.items()
    )
    return "\n".join(["<configuration>", *lines, "</configuration>", ""])


_LOGGING = """rootLogger.level = off
rootLogger.appenderRef.none.ref = none
appender.none.type = Null
appender.none.name = none
"""
# Without an appender of its own, Spark would take this for no configuration and log as by default.
_MARK = "the next statement"
_TOOK = "Time taken: "
_SPARK = {
    "spark.master": "local[1]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "hive",
}
_SPARK_SQL = [
    "org.apache.spark.deploy.SparkSubmit",
    *(word for name, value in _SPARK.items() for word in ("--conf", f"{name}={value}")),
    *("--class", "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "spark-internal"),
    *("--hiveconf", "hive.cli.errors.ignore=true"),
]
