"""The texts of the EMRFS lab: what they come to, and each fault told at its place and at once."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from labs import child, registry
from labs.findings import Refused
from labs.parameters import ParameterError
from labs.registry import Lab

FOLDER = registry.CATALOG / "emrfs_authorization"
ARTICLE = (FOLDER / "article.configuration.json").read_text("utf-8")
ROLES = (FOLDER / "article.roles.json").read_text("utf-8")
NAMES = tuple(json.loads(ROLES))
ENGINEERS = "emrfs_auth_group_role_data_eng"


@pytest.fixture(scope="module")
def code() -> Iterator[ModuleType]:
    yield child.load(FOLDER / "lab.py")
    for name in [name for name in sys.modules if name == "lab_lab" or name.startswith("lab_lab.")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def lab() -> Lab:
    return registry.read(FOLDER)


def mappings(*changes: dict[str, Any]) -> str:
    """Return the article's configuration with its mappings changed, the first by the first of the changes."""
    whole = json.loads(ARTICLE)
    listed = whole["AuthorizationConfiguration"]["EmrFsConfiguration"]["RoleMappings"]
    for mapping, change in zip(listed, changes, strict=False):
        mapping.update(change)
    return json.dumps(whole, indent=2)


def fault(read: Callable[[], object]) -> tuple[str, str]:
    """Return the text of the line that a reading refuses, and the sentence, with its parameter's name taken off."""
    with pytest.raises(Refused) as refused:
        read()
    first = refused.value.faults[0]
    return first.parameter, f"{first.line}: {first.sentence}"


def role_of(code: ModuleType, text: str, user: str, groups: set[str], path: str) -> str:
    configuration = code.configuration
    found = configuration.read(text, NAMES, code.logins.REALM)
    mapping = found.mapping(configuration.Access(user, frozenset(groups), path))
    return mapping.role.removeprefix("emrfs_auth_") if mapping else ""


@pytest.mark.parametrize(
    ("user", "groups", "path", "role"),
    [
        ("admin1", {"grp_data_engineering"}, "s3://any/", "user_role_admin_user"),
        ("dataeng1", {"grp_data_engineering"}, "s3://emrfs-auth-default-bucket-demo/x", "group_role_data_eng"),
        ("mona", {"grp_data_science", "grp_data_engineering"}, "s3://any/", "group_role_data_eng"),
        ("datascientist1", {"grp_data_science"}, "s3://any/", "group_role_data_sci"),
        ("guest", set(), "s3://emrfs-auth-default-bucket-demo/", "prefix_role_default_s3_prefix"),
        ("guest", set(), "s3://emrfs-auth-default-bucket-demo-payroll/", ""),
        ("admin", {"admin1"}, "s3://any/", ""),
    ],
)
def test_the_first_mapping_that_fits_decides(
    code: ModuleType, user: str, groups: set[str], path: str, role: str
) -> None:
    assert role_of(code, ARTICLE, user, groups, path) == role


def test_a_prefix_without_its_slash_catches_more(code: ModuleType) -> None:
    text = (FOLDER / "no_slash.configuration.json").read_text("utf-8")
    found = role_of(code, text, "guest", set(), "s3://emrfs-auth-default-bucket-demo-payroll/")
    assert found == "prefix_role_default_s3_prefix"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        ({"IdentifierType": "Role"}, '"IdentifierType": "Role"', "no type “Role”; use User, Group, Prefix"),
        ({"Identifiers": []}, '"Identifiers": []', "The list is empty"),
        ({"Identifiers": [" "]}, '" "', "An identifier is the name of a user"),
        ({"Identifiers": "admin1"}, '"Identifiers": "admin1"', "a list in square brackets"),
        ({"IdentifierType": "Prefix", "Identifiers": ["data/"]}, '"data/"', "begins with s3://"),
        ({"Role": "EMR_EC2_DefaultRole"}, '"Role": "EMR', "no role of the account"),
        ({"Role": "arn:aws:iam::111122223333:role/nobody"}, '"Role": "arn', "has no role “nobody”"),
        ({"role": "x"}, '"role": "x"', "“role” is read by nothing"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_at_its_line(
    code: ModuleType, change: dict[str, Any], line: str, words: str
) -> None:
    text = mappings(change)
    parameter, told = fault(lambda: code.configuration.read(text, NAMES, code.logins.REALM))
    number, sentence = told.split(": ", 1)
    assert parameter == "configuration"
    assert line in text.splitlines()[int(number) - 1]
    assert words in sentence


def test_a_trust_in_a_realm_that_is_not_there_is_refused(code: ModuleType) -> None:
    text = ARTICLE.replace('"Realm": "EMRKRB.TEST.COM"', '"Realm": "OTHER.TEST.COM"')
    _, told = fault(lambda: code.configuration.read(text, NAMES, code.logins.REALM))
    assert "no directory of “OTHER.TEST.COM” to trust" in told


def test_a_role_without_a_trust_policy_is_refused(code: ModuleType) -> None:
    roles = json.loads(ROLES)
    del roles[ENGINEERS]["AssumeRolePolicyDocument"]
    text = json.dumps(roles, indent=2)
    parameter, told = fault(lambda: code.account.roles(text))
    number, sentence = told.split(": ", 1)
    assert parameter == "roles"
    assert ENGINEERS in text.splitlines()[int(number) - 1]
    assert sentence == "“AssumeRolePolicyDocument” is missing here; give an object in braces."


def test_a_fault_inside_a_policy_is_told_at_its_line_in_the_whole_text(code: ModuleType) -> None:
    text = ROLES.replace('"s3:*", "Resource": "*"', '"s3", "Resource": "*"', 1)
    lines = text.splitlines()
    _, told = fault(lambda: code.account.roles(text))
    assert '"s3"' in lines[int(told.split(":")[0]) - 1]


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        ("buckets", '{"A_b": null}', "A bucket's name"),
        ("buckets", "{}", "There are 0 names here"),
        ("people", '{"root/admin": []}', "A person's name"),
        ("people", '{"a": []}', "2 to 32 small letters"),
        ("people", '{"ann": ["x y"]}', "a list of at most 8 groups"),
        ("people", '{"ann": "x"}', "a list in square brackets"),
        ("people", json.dumps({f"p{number}": [] for number in range(9)}), "There are 9 names here"),
        ("people", "[]", "This is no object"),
        ("people", '{"ann": [], "ann": []}', "stands twice"),
    ],
)
def test_names_and_groups_have_their_form(code: ModuleType, read: str, text: str, words: str) -> None:
    assert words in fault(lambda: getattr(code.account, read)(text))[1]


HOSTILE = {
    "a mapping of a megabyte": mappings({"Identifiers": ["x" * 1_000_000]}),
    "lists nested 10,000 deep": "[" * 10_000 + "]" * 10_000,
    "objects nested 10,000 deep": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "no JSON": "{'a': 1}",
    "an endless number": "1" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["configuration", "roles", "buckets", "people"])
def test_a_hostile_text_is_refused_at_once(lab: Lab, name: str, text: str) -> None:
    begun = time.process_time()
    _, faults = lab.read({name: text})
    assert isinstance(faults[name], ParameterError)
    assert len(str(faults[name])) < 300
    assert time.process_time() - begun < 1


LARGEST = {
    "a mapping with 3,000 identifiers": mappings({"Identifiers": ["x"] * 3000}),
    "nested 1,000 deep": '{"AuthorizationConfiguration":' + "[" * 1000 + "]" * 1000 + "}",
    "10,000 fields": json.dumps({f"f{number}": 0 for number in range(5000)}),
}


@pytest.mark.parametrize("text", LARGEST.values(), ids=LARGEST)
def test_the_largest_text_that_is_read_is_answered_at_once(code: ModuleType, text: str) -> None:
    assert len(text) < 65_536
    begun = time.process_time()
    with contextlib.suppress(Refused):
        code.configuration.read(text, NAMES, code.logins.REALM)
    assert time.process_time() - begun < 2
