"""The EMRFS lab: what the published cluster does, what each change makes of it, and why; by real requests."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from labs import child, matrices, registry, runner
from labs.findings import Refused
from labs.matrices import Answer
from labs.parts import hadoop
from labs.registry import Lab
from tests.conftest import missing

FOLDER = registry.CATALOG / "emrfs_authorization"
RESTRICTED = {"instance_role": "EMR_EC2_RestrictedRole"}
SCIENCE, ENGINEERING, DEFAULT = (
    f"emrfs-auth-{name}-bucket-demo" for name in ("data-science", "data-engineering", "default")
)
PAYROLL = f"{DEFAULT}-payroll"
BUCKETS = (SCIENCE, ENGINEERING, DEFAULT, PAYROLL)
Measure = Callable[..., dict[str, Any]]


class Recorder:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.logs: list[str] = []
        self.metrics: list[Mapping[str, float]] = []

    def progress(self, share: float) -> None:
        assert 0 <= share <= 1

    def metric(self, at: float, **values: float) -> None:
        assert at >= 0
        self.metrics.append(values)

    def log(self, text: str) -> None:
        self.logs.append(text)


def written(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text("utf-8")


ARTICLE = {**RESTRICTED, "configuration": written("article.configuration"), "roles": written("article.roles")}


@pytest.fixture(scope="module")
def lab() -> Lab:
    return registry.read(FOLDER)


@pytest.fixture(scope="module")
def measure(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measure]:
    """Return a function that runs the lab here; the same parameters are run once."""
    code, checks = child.load(FOLDER / "lab.py"), child.load(FOLDER / "checks.py")
    known: dict[str, dict[str, Any]] = {}

    def run(*, live: bool = False, **texts: str) -> dict[str, Any]:
        key = json.dumps([live, texts])
        if key not in known:
            values, faults = lab.read(texts)
            assert faults == {}
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path_factory.mktemp("run"))
                report = Recorder()
                findings = (code.live if live else code.run)(code.Parameters(**values), 1, report)
            known[key] = _told(lab, checks, findings, report)
        return known[key]

    yield run
    for name in [name for name in sys.modules if name.startswith(("lab_lab", "lab_checks"))]:
        del sys.modules[name]


def _told(lab: Lab, checks: Any, findings: Any, report: Recorder) -> dict[str, Any]:
    values = {name: found.value for name, found in findings.items()}
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    passed = {task.check for task in lab.tasks if getattr(checks, task.check)(numbers)}
    return {**values, "passed": passed, "logs": report.logs, "metrics": report.metrics}


def answers(found: dict[str, Any], matrix: str = "access") -> dict[str, Answer]:
    """Return the answers of one of a run's matrices by their places."""
    read = matrices.read(found[matrix])
    assert read is not None
    return dict(read.named())


def granted(found: dict[str, Any], user: str, asked: str = "read", matrix: str = "access") -> set[str]:
    """Return the buckets in which somebody, or a role, was granted something."""
    by_place = answers(found, matrix)
    return {bucket for bucket in BUCKETS if by_place[f"{user}, {bucket}, {asked}"].granted}


def changed(name: str, change: Callable[[Any], object]) -> str:
    """Return one of the lab's texts with a change made to it."""
    whole = json.loads(written(name))
    change(whole)
    return json.dumps(whole, indent=2)


def test_the_published_command_locks_the_tenants_out_and_lets_the_stranger_in(measure: Measure) -> None:
    found = measure(configuration=ARTICLE["configuration"], roles=ARTICLE["roles"])
    for user in ("admin1", "dataeng1", "datascientist1", "mona"):
        assert granted(found, user) == set()
        assert "sts:AssumeRole" in answers(found)[f"{user}, {SCIENCE}, list"].why
    assert granted(found, "guest") == {SCIENCE, ENGINEERING, PAYROLL}
    assert found["passed"] == set()


def test_the_default_passes_no_task(measure: Measure) -> None:
    assert measure()["passed"] == set()


def test_the_articles_outcome_comes_from_real_requests(measure: Measure) -> None:
    found = measure(**ARTICLE)
    assert granted(found, "admin1") == set(BUCKETS)
    assert granted(found, "dataeng1") == granted(found, "mona") == {ENGINEERING}
    assert granted(found, "datascientist1") == {SCIENCE}
    assert granted(found, "guest") == {DEFAULT}
    assert (found["granted"], found["denied_by_s3"], found["denied_by_sts"]) == (40, 60, 0)
    assert found["decisions"] > found["requests"] == 100
    assert {"articles_outcome", "no_stranger_reads"} <= found["passed"]
    assert found["metrics"][-1] == {"logins": 5, "granted": 40, "denied_by_s3": 60, "denied_by_sts": 0}


def test_every_answer_says_which_statement_decided_it(measure: Measure) -> None:
    found = measure(**ARTICLE)
    by_place = answers(found)
    allowed, denied = by_place[f"dataeng1, {ENGINEERING}, read"], by_place[f"dataeng1, {SCIENCE}, read"]
    told = re.search(r"emrfs_auth_group_role_data_eng\W+Objects at line (\d+), allows it", allowed.why)
    assert told
    statement = ARTICLE["roles"].splitlines()[int(told[1]) - 1 :][:6]
    assert f'"Resource": "arn:aws:s3:::{ENGINEERING}/*"' in " ".join(map(str.strip, statement))
    assert denied.why == f"s3:GetObject on arn:aws:s3:::{SCIENCE}/data/orders.csv is denied. No statement allows it."
    cell = matrices.read(found["access"]).cells[1][0]  # type: ignore[union-attr]
    assert "dataeng1 is in grp_data_engineering" in cell.why


def test_the_demonstration_ends_as_published(measure: Measure) -> None:
    found = measure(**ARTICLE)
    shown = matrices.read(found["demonstration"])
    assert shown is not None
    outcomes = [[cell.answers[0].granted for cell in row] for row in shown.cells]
    assert all(published == here for published, here in outcomes)
    said = [row[1].answers[0].why for row in shown.cells]
    assert said[7] == "Tables: table1_data_eng, test2_datasci_tb."
    assert "s3:ListBucket" in said[8]
    assert said[9] == "No row."


def test_the_order_decides_for_who_is_in_both_groups(measure: Measure) -> None:
    text = written("science_first.configuration")
    found = measure(**{**ARTICLE, "configuration": text})
    assert granted(found, "mona") == {SCIENCE}
    before = answers(measure(**ARTICLE))
    differing = {place.split(",")[0] for place, one in answers(found).items() if one.granted != before[place].granted}
    assert differing == {"mona"}
    assert "order_decides" in found["passed"]


def test_with_the_prefix_first_eleven_cells_say_yes_and_not_eight(measure: Measure) -> None:
    def prefix_first(whole: Any) -> None:
        listed = whole["AuthorizationConfiguration"]["EmrFsConfiguration"]["RoleMappings"]
        listed.insert(0, listed.pop())

    found = measure(**{**ARTICLE, "configuration": changed("article.configuration", prefix_first)})
    for user in ("admin1", "dataeng1", "datascientist1", "mona", "guest"):
        assert DEFAULT in granted(found, user)
    counts = [
        sum(one.granted for place, one in answers(run).items() if place.endswith(", read"))
        for run in (measure(**ARTICLE), found)
    ]
    assert counts == [8, 11]


def test_a_forgotten_trust_is_denied_by_sts_and_s3_is_never_asked(measure: Measure) -> None:
    found = measure(**{**ARTICLE, "roles": written("forgotten_trust.roles")})
    assert granted(found, "datascientist1") == set()
    assert found["denied_by_sts"] == 20
    why = {one.why for place, one in answers(found).items() if place.startswith("datascientist1,")}
    assert len(why) == 1
    assert why.pop().startswith("sts:AssumeRole on arn:aws:iam::111122223333:role/emrfs_auth_group_role_data_sci")
    assert "a_forgotten_trust" in found["passed"]


def test_a_prefix_without_its_slash_needs_a_careless_role_too(measure: Measure) -> None:
    no_slash = {**ARTICLE, "configuration": written("no_slash.configuration")}
    found = measure(**no_slash)
    assert found["guest_payroll_by_prefix"]
    assert granted(found, "guest") == {DEFAULT}
    found = measure(**{**no_slash, "roles": written("wide.roles")})
    assert granted(found, "guest") == {DEFAULT, PAYROLL}
    assert "prefix_catches_too_much" in found["passed"]


def test_who_may_only_read_in_another_bucket_is_a_miss(measure: Measure) -> None:
    def leak(whole: Any) -> None:
        statements = whole["emrfs_auth_group_role_data_eng"]["PolicyDocument"]["Statement"]
        statements.append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{PAYROLL}/*"})

    found = measure(**{**ARTICLE, "roles": changed("article.roles", leak)})
    assert found["outcomes_missed"] == 1
    assert "articles_outcome" not in found["passed"]


def test_a_bucket_policy_has_its_say(measure: Measure) -> None:
    engineers = "arn:aws:iam::111122223333:role/emrfs_auth_group_role_data_eng"
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "KeepReports",
                "Effect": "Deny",
                "Principal": {"AWS": engineers},
                "Action": "s3:DeleteObject",
                "Resource": f"arn:aws:s3:::{ENGINEERING}/*",
            }
        ],
    }
    found = measure(**ARTICLE, buckets=json.dumps(dict.fromkeys(BUCKETS) | {ENGINEERING: deny}))
    assert granted(found, "dataeng1", "delete") == set()
    assert granted(found, "dataeng1", "write") == {ENGINEERING}
    assert "KeepReports" in answers(found)[f"dataeng1, {ENGINEERING}, delete"].why


def test_least_privilege_keeps_the_outcome_and_the_buckets(measure: Measure) -> None:
    found = measure(**{**ARTICLE, "roles": written("least.roles")})
    assert found["outcomes_missed"] == found["statements_missed"] == found["tenants_deleting_buckets"] == 0
    assert measure(**ARTICLE)["tenants_deleting_buckets"] == 4


def test_a_shell_on_the_node_gets_every_role_of_the_list(measure: Measure) -> None:
    found, shell = measure(**ARTICLE), "from_a_shell_on_the_node"
    assert granted(found, "emrfs_auth_user_role_admin_user", matrix=shell) == set(BUCKETS)
    assert granted(found, "EMR_EC2_RestrictedRole", matrix=shell) == set()
    without = measure(**{**ARTICLE, "configuration": written("no_admin.configuration")})
    assert without["payroll_from_a_shell"] is False
    assert "payroll_is_out_of_reach" in without["passed"]


def test_no_name_disturbs_what_the_others_ask_for(measure: Measure) -> None:
    found = measure(**RESTRICTED, people='{"admin1": [], "orders": [], "data": []}', buckets='{"moto-api": null}')
    places = {place for place, one in answers(found).items() if one.granted}
    assert places == {f"admin1, moto-api, {name}" for name in ("list", "read", "write", "delete", "delete bucket")}


def test_people_of_ones_own_are_asked_for_too(measure: Measure) -> None:
    found = measure(**ARTICLE, people='{"ann": ["grp_data_science"], "bob": []}')
    assert granted(found, "ann") == {SCIENCE}
    assert granted(found, "bob") == {DEFAULT}
    assert found["statements_missed"] == 7
    assert "ann@EMRKRB.TEST.COM is on the node; groups: grp_data_science." in found["logs"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda roles: roles.pop("EMR_EC2_RestrictedRole"), "which the account has not"),
        (
            lambda roles: roles["EMR_EC2_RestrictedRole"].update(
                AssumeRolePolicyDocument=roles["emrfs_auth_user_role_admin_user"]["AssumeRolePolicyDocument"]
                | {"Statement": [roles["emrfs_auth_user_role_admin_user"]["AssumeRolePolicyDocument"]["Statement"][1]]}
            ),
            "EC2 may not assume EMR_EC2_RestrictedRole",
        ),
    ],
)
def test_instances_without_a_role_are_refused(measure: Measure, change: Callable[[Any], object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        measure(**{**ARTICLE, "roles": changed("article.roles", change)})


def test_the_trust_has_one_direction(measure: Measure) -> None:
    assert measure(**ARTICLE)["directory_trusts_cluster"] is False


@pytest.mark.parametrize(
    ("kind", "program", "choice"),
    [("MIT's KDC", "krb5kdc", {"kdc": "MIT"}), ("slapd", "slapd", {"directory": "slapd"})],
)
def test_real_servers_make_no_difference(measure: Measure, kind: str, program: str, choice: dict[str, str]) -> None:
    if not (Path("/usr/sbin") / program).exists():
        missing(kind)
    own, real = measure(**ARTICLE), measure(**ARTICLE, **choice)
    assert {name: value for name, value in real.items() if name != "logs"} == {
        name: value for name, value in own.items() if name != "logs"
    }


def test_a_run_is_quick_enough_and_repeats(lab: Lab) -> None:
    values, faults = lab.read(ARTICLE)
    assert faults == {}
    begun = time.monotonic()
    outcomes = [runner.execute(lab, values, 1, runner.Limits()) for _ in range(2)]
    # Two runs on a machine that does other work as well; alone, one takes about two seconds.
    assert time.monotonic() - begun < 60
    assert all(one.ending.done for one in outcomes)
    assert outcomes[0].findings == outcomes[1].findings


def test_hadoop_and_spark_end_as_published(lab: Lab) -> None:
    if not hadoop.is_installed():
        pytest.skip(f"Java, or what `{hadoop.INSTALL}` installs, is not on this machine")
    values, _ = lab.read(ARTICLE)
    limits = runner.Limits(seconds=600, memory_mib=hadoop.ADDRESS_SPACE >> 20)
    outcome = runner.execute(lab, values, 1, limits, live=True)
    assert outcome.ending.done, outcome.ending.sentence
    assert outcome.checks["articles_outcome"]
    shown = matrices.read(outcome.findings["demonstration"]["value"])
    assert shown is not None
    said = [row[1].answers[0].why for row in shown.cells]
    assert "AccessDenied" in said[1]
    assert said[7] == "table1_data_eng · test2_datasci_tb"
    assert "AccessDenied" in said[8]


def test_without_its_packages_the_live_run_says_what_to_install(
    measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hadoop, "is_installed", lambda: False)
    with pytest.raises(Refused, match="pip install --no-deps pyspark"):
        measure(live=True, **ARTICLE)
