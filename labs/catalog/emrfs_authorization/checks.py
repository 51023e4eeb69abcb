"""What the tasks ask of a run's findings; each docstring is the hint a learner may open."""

from __future__ import annotations

from labs.findings import Values


def no_stranger_reads(values: Values) -> bool:
    """Open Why in the rows of guest and admin1: which role is left without a mapping, and which do the others trust."""
    closed = values["asked_without_mapping"] > 0 and values["granted_without_mapping"] == 0
    return closed and values["denied_by_sts"] == 0 and values["granted"] > 0


def articles_outcome(values: Values) -> bool:
    """Two mappings of a Group are missing, and one of a Prefix. Its role is like a group's, for the default bucket."""
    return values["outcomes_missed"] == values["statements_missed"] == 0


def order_decides(values: Values) -> bool:
    """Let EMRFS, which stops at the first mapping that fits, meet the other of her two groups first."""
    reads = values["mona_reads_science"] == 1 and values["mona_reads_engineering"] == 0
    return reads and values["outcomes_missed"] == 0


def a_forgotten_trust(values: Values) -> bool:
    """Choose the restricted role. In a role that a mapping names, remove the statement with the principal AWS."""
    return values["restricted_role"] == 1 and values["denied_by_sts"] > 0


def prefix_catches_too_much(values: Values) -> bool:
    """End the prefix without its slash, so that the payroll's path begins with it, and the role's Resource with *."""
    return values["guest_payroll_by_prefix"] == 1 and values["guest_reads_payroll"] == 1


def only_what_jobs_need(values: Values) -> bool:
    """In place of s3:* write ListBucket for the bucket, and GetObject, PutObject and DeleteObject for its objects."""
    kept = values["outcomes_missed"] == values["statements_missed"] == 0
    return kept and values["tenants_deleting_buckets"] == 0


def payroll_is_out_of_reach(values: Values) -> bool:
    """Whatever role a mapping can have, a shell can have. Take the administrator's out; admin1 may work elsewhere."""
    return values["payroll_from_a_shell"] == 0 and values["tenants_missed"] == 0
