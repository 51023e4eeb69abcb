"""What the tasks ask of a run's findings; each docstring is the hint a learner may open."""

from __future__ import annotations

from labs.findings import Values


def three_keys_side_by_side(values: Values) -> bool:
    """Leave everything as it is: three campaigns run on 2018-02-13. Read both durations and the rows that were seen."""
    side_by_side = values["in_turn_seconds"] >= 2.5 * values["execution_seconds"]
    return values["keys"] == 3 and side_by_side and values["executions"] == 1 and _complete(values)


def any_number_of_keys(values: Values) -> bool:
    """Choose 2018-02-15. A Map over $.keys, the list that ReadKeys returns, runs a branch for each of them."""
    return values["keys"] >= 4 and _complete(values)


def one_failure_is_survived(values: Values) -> bool:
    """Let one extract fail once. Give the task that extracts a Retry for ConnectionLost, or for States.TaskFailed."""
    return values["failed_extracts"] == 1 and values["lasting_failure"] == 0 and _complete(values)


def lasting_failure_keeps_the_report(values: Values) -> bool:
    """Let one extract always fail. Catch it, call Alert, and end in a Fail state. Delete nothing before the exports."""
    told = values["failed"] == 1 and values["alerts"] >= 1
    kept = values["fewest_rows_seen"] == values["old_rows_after"] == values["rows_before"]
    return values["lasting_failure"] == 1 and told and kept


def no_reader_sees_a_gap(values: Values) -> bool:
    """Have the load killed. Export everything first; Load then deletes and loads in one transaction, so retry it."""
    no_gap = values["fewest_rows_seen"] >= min(values["rows_before"], values["records"])
    return values["killed_loads"] == 1 and no_gap and _complete(values)


def a_lost_answer_doubles_nothing(values: Values) -> bool:
    """Lose a load's answer. A retry repeats the load: Execution appends again, Load replaces what is there."""
    return values["lost_answers"] == 1 and values["retries"] >= 1 and _complete(values)


def overlapping_runs_are_guarded(values: Values) -> bool:
    """Let two runs overlap. Lock first, catch LockHeld, and Unlock in the end, after a failure too."""
    once = values["rows_loaded"] == values["records"] and values["locks_left"] == 0
    return values["refused_by_lock"] >= 1 and once and _complete(values)


def _complete(values: Values) -> bool:
    """Whether a run succeeded and the report has each of the day's records exactly once, and nothing else."""
    exact = values["missing_rows"] == values["duplicate_rows"] == values["old_rows_after"] == 0
    return values["succeeded"] >= 1 and values["records"] > 0 and exact
