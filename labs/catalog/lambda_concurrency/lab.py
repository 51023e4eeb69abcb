"""Lambda concurrency: one function under a load test, in a VPC or not, or an account's four event sources."""

from __future__ import annotations

from labs.findings import Findings, Refused, Report

from . import real_time
from .four_sources import four_sources
from .one_function import load_test
from .settings import Parameters

__all__ = ["Parameters", "live", "run"]


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Play the scenario in virtual time; the same parameters and seed give the same findings.

    Raises Refused where the account cannot give the reservations, or the parameters contradict each other.
    """
    if parameters.memory % 64:
        raise Refused("memory goes in steps of 64 MB; choose 128, 192, and so on.")
    play = four_sources if parameters.scenario == "four sources" else load_test
    return play(parameters, seed, report)


def live(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Play the load test in real time against an endpoint on this machine; two runs never give quite the same."""
    if parameters.scenario != "load test":
        raise Refused("The live mode has one scenario, the load test; leave scenario as it is.")
    return real_time.run(parameters, seed, report)
