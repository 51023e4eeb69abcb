"""The Security Token Service: credentials, whose they are, and new ones for a role."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from lxml import etree

from labs.parts.iam import Caller, CallerKind, Kind, Policies, Policy, read
from labs.parts.object_store.authority import Authority, Target
from labs.parts.object_store.entities import Credentials, Identity, Role, User, unique_id
from labs.parts.object_store.requests import AccessDeniedError, HttpRequest, ServiceError

EC2 = Caller(CallerKind.SERVICE, "ec2.amazonaws.com")
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
SHORTEST, USUAL, INSTANCE = 900, 3600, 21_600
"""Seconds that a session lasts: at least, if nobody asks for less and at most, and one that EC2 hands out."""

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


class Tokens:
    """Every credential of an account, and the service that makes them."""

    def __init__(self, account: str, roles: Iterable[Role], users: Iterable[User], authority: Authority) -> None:
        self.account = account
        self._roles = {role.arn(account): role for role in roles}
        self._authority = authority
        self._identities: dict[str, tuple[Credentials, Identity]] = {}
        self._lock = threading.Lock()
        root = f"arn:aws:iam::{account}:root"
        self.root = self._issue("AKIA", Identity(Caller(CallerKind.ROOT, root, account), keys=_keys(root, account)))
        self._users = {user.name: self._issue("AKIA", self._user(user)) for user in users}

    def access_key(self, user: str) -> Credentials:
        """Return a user's access key; raise KeyError."""
        return self._users[user]

    def find(self, access_key_id: str, now: float) -> tuple[Credentials, Identity]:
        """Return credentials and whose they are; raise ServiceError for unknown and expired ones."""
        try:
            found = self._identities[access_key_id]
        except KeyError:
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise ServiceError(403, "InvalidAccessKeyId", message) from None
        if found[1].expires is not None and now >= found[1].expires:
            raise ServiceError(400, "ExpiredToken", "The provided token has expired.")
        return found

    def instance_profile(self, role: str, context: Mapping[str, str], now: float) -> Credentials:
        """Return what EC2 hands to an instance with this role; raise AccessDeniedError, KeyError."""
        given = self._roles[f"arn:aws:iam::{self.account}:role/{role}"]
        self._trusting(given.arn(self.account), Identity(EC2), context)
        return self._session(given, "i-0a1b2c3d4e5f60718", None, now + INSTANCE, now)

    def answer(self, request: HttpRequest, identity: Identity, context: Mapping[str, str], now: float) -> bytes:
        """Return the XML that answers a call; raise ServiceError."""
        given = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        given = {**request.parameters, **given}
        action = given.get("Action")
        if action == "GetCallerIdentity":
            caller = identity.caller
            return _xml(action, {"Arn": caller.arn, "UserId": identity.keys["aws:userid"], "Account": caller.account})
        if action != "AssumeRole":
            raise ServiceError(400, "InvalidAction", "Here only AssumeRole and GetCallerIdentity are served.")
        return self._assume_role(given, identity, context, now)

    def _assume_role(
        self, given: Mapping[str, str], identity: Identity, context: Mapping[str, str], now: float
    ) -> bytes:
        name, seconds = given.get("RoleSessionName", ""), given.get("DurationSeconds", str(USUAL))
        if not _SESSION_NAME.fullmatch(name):
            raise _invalid("A RoleSessionName has 2 to 64 letters, digits and the characters +=,.@_-.")
        if not seconds.isdecimal() or not SHORTEST <= int(seconds) <= USUAL:
            raise _invalid(f"DurationSeconds is a number from {SHORTEST} to {USUAL}.")
        policy = _session_policy(given["Policy"]) if given.get("Policy") else None
        external = {"sts:ExternalId": given["ExternalId"]} if "ExternalId" in given else {}
        role = self._trusting(given.get("RoleArn", ""), identity, {**context, **external})
        expires = now + int(seconds)
        credentials = self._session(role, name, policy, expires, now)
        _, session = self._identities[credentials.access_key_id]
        result: _Tree = {
            "AssumedRoleUser": {"Arn": session.caller.arn, "AssumedRoleId": session.keys["aws:userid"]},
            "Credentials": {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
                "Expiration": _moment(expires),
            },
        }
        return _xml("AssumeRole", result)

    def _trusting(self, arn: str, identity: Identity, context: Mapping[str, str]) -> Role:
        """Return the role if it lets the caller in; raise AccessDeniedError, also where there is no such role."""
        role = self._roles.get(arn)
        target = Target(arn, self.account, role.trust if role else None, trust=True)
        if not self._authority.allows(identity, "AssumeRole", "sts:AssumeRole", target, context) or role is None:
            told = f"User: {identity.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AccessDeniedError(told)
        return role

    def _session(self, role: Role, name: str, policy: Policy | None, expires: float, now: float) -> Credentials:
        arn = role.arn(self.account)
        session = f"arn:aws:sts::{self.account}:assumed-role/{role.name.rpartition('/')[2]}/{name}"
        keys = {
            **_keys(arn, self.account, "AssumedRole"),
            "aws:userid": f"{unique_id('AROA', arn)}:{name}",
            "aws:TokenIssueTime": _moment(now),
        }
        caller = Caller(CallerKind.ROLE, session, self.account, arn)
        return self._issue(
            "ASIA", Identity(caller, Policies(role.policies, role.boundary, policy), keys, expires), token=True
        )

    def _user(self, user: User) -> Identity:
        arn = user.arn(self.account)
        keys = {**_keys(arn, self.account, "User"), "aws:userid": unique_id("AIDA", arn), "aws:username": user.name}
        return Identity(Caller(CallerKind.USER, arn, self.account), Policies(user.policies, user.boundary), keys)

    def _issue(self, prefix: str, identity: Identity, *, token: bool = False) -> Credentials:
        key = f"{prefix}{secrets.token_hex(8).upper()}"
        credentials = Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(60) if token else "")
        with self._lock:
            self._identities[key] = credentials, identity
        return credentials


def _keys(arn: str, account: str, kind: str = "Account") -> dict[str, str]:
    return {
        "aws:PrincipalArn": arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": kind,
        "aws:userid": account,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _session_policy(text: str) -> Policy:
    reading = read(text, Kind.IDENTITY)
    if reading.policy is None:
        fault = reading.faults[0]
        raise ServiceError(400, "MalformedPolicyDocument", f"{fault.line}:{fault.column}: {fault.sentence}")
    return reading.policy


def _invalid(sentence: str) -> ServiceError:
    return ServiceError(400, "ValidationError", sentence)


_Tree = Mapping[str, "str | _Tree"]


def _xml(action: str, result: _Tree) -> bytes:
    root = etree.Element(f"{action}Response", xmlns=NAMESPACE)
    _fill(etree.SubElement(root, f"{action}Result"), result)
    _fill(etree.SubElement(root, "ResponseMetadata"), {"RequestId": "00000000-0000-0000-0000-000000000000"})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(element: etree._Element, tree: _Tree) -> None:
    for name, value in tree.items():
        child = etree.SubElement(element, name)
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)
