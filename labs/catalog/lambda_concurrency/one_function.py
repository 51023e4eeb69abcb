"""One function behind a gateway, in a VPC or not: its account, its network, and what a load test of it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from labs.findings import Finding, Findings, Refused, Report
from labs.parts import subnets
from labs.parts.closed_loop import Function, Load, Network, Trace, simulate
from labs.parts.distributions import Quantiles, around, sampler
from labs.parts.environments import Environments
from labs.parts.limiter import Account, RunningCounter

from .costs import load_test_costs
from .settings import MINUTE, Parameters, account_with

FUNCTION = "the function"
SUCCESS = "Hello world, slept 2 seconds"
FAILURE = '{"message": "Internal server error"}'
PERCENTILES = (10, 25, 50, 75, 90, 95, 99)

# Fitted by hand until the medians of 100 seeds stood near the two published tables; see brief.md for how near.
TRIP: Quantiles = ((0, 0.01015), (0.16, 0.0130), (0.41, 0.0147), (0.81, 0.0205), (1, 0.0260))
OVERHEAD: Quantiles = (
    *((0, 0.004), (0.4, 0.0085), (0.7, 0.0110), (0.8, 0.0200)),
    *((0.95, 0.0360), (0.99, 0.1100), (1, 0.2500)),
)
SHORT_COLD_STARTS: Quantiles = ((0, 0.15), (0.3, 0.3), (0.65, 0.6), (0.85, 1.2), (1, 2.2))
LONG_COLD_STARTS: Quantiles = ((0, 0.2), (0.2, 0.8), (0.2, 3.95), (1, 4.48))

EXACT = Network(TRIP, OVERHEAD, cold_start=((0, 0.2), (1, 0.4)))
FITTED_RESERVED = replace(EXACT, cold_start=SHORT_COLD_STARTS, release_lag=0.046)
FITTED_UNRESERVED = replace(EXACT, cold_start=LONG_COLD_STARTS, release_lag=0.046, gateway_errors=0.0006)


def load_test(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Send the load and return what the client saw."""
    account = account_of(parameters)
    limit = account.limit_of(FUNCTION, parameters.unreserved_in_use)
    report.log(f"At most {limit} executions of the function may run at once.")
    function, trace = send(parameters, limit, seed, report)
    return findings_of(parameters, account, limit, function, trace)


def send(parameters: Parameters, limit: int, seed: int, report: Report) -> tuple[Function, Trace]:
    """Send the load at the function behind its limit; return the function as it is then, and what the client saw."""
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    network = network_of(parameters)
    function = function_of(parameters, network, limit, random)
    return function, simulate(load_of(parameters), function, network, random, report)


def account_of(parameters: Parameters) -> Account:
    """Return the account with its reservations; raise Refused where it cannot give them."""
    if parameters.sleep_minimum > parameters.sleep_maximum:
        raise Refused("sleep_minimum is greater than sleep_maximum; make it at most as great.")
    if parameters.requests < parameters.concurrency:
        raise Refused("requests is smaller than concurrency, so some workers would have none; raise requests.")
    reservations = {f"other function {number}": one for number, one in enumerate(parameters.other_reservations, 1)}
    if parameters.reserved_concurrency is not None:
        reservations[FUNCTION] = parameters.reserved_concurrency
    return account_with(reservations)


def load_of(parameters: Parameters) -> Load:
    """Return what the load tool sends."""
    return Load(parameters.requests, parameters.concurrency)


def network_of(parameters: Parameters) -> Network:
    """Return the preset's network, with what the learner put in place of it."""
    network = EXACT
    if parameters.preset == "fitted":
        network = FITTED_UNRESERVED if parameters.reserved_concurrency is None else FITTED_RESERVED
    if parameters.rejection_latency is not None:
        network = replace(network, trip=around(parameters.rejection_latency / 1000))
    if parameters.cold_start is not None:
        network = replace(network, cold_start=around(parameters.cold_start / 1000))
    if parameters.release_lag is not None:
        network = replace(network, release_lag=parameters.release_lag / 1000)
    return network


def function_of(parameters: Parameters, network: Network, limit: int, random: Random) -> Function:
    """Return the function behind its limiter; each of its environments draws its sleep once."""
    cold_start = sampler(network.cold_start, random)
    sleeps = parameters.sleep_minimum, parameters.sleep_maximum
    extra, most = 0.0, float("inf")
    if parameters.scenario == "VPC":
        extra, most = parameters.interface_seconds, environments_in_vpc(parameters)
    environments = Environments(
        lambda: (cold_start() + extra, random.randint(*sleeps)), parameters.idle_minutes * MINUTE, most
    )
    function = Function(RunningCounter(limit), environments, parameters.timeout, network, random)
    if parameters.sleep_drawn == "inside the handler":
        function.draw = lambda: random.randint(*sleeps)
    return function


def free_addresses(parameters: Parameters) -> int:
    """Return how many addresses of the subnets nobody has."""
    return max(0, sum(subnets.usable(prefix) for prefix in parameters.subnets) - parameters.addresses_in_use)


def environments_in_vpc(parameters: Parameters) -> int:
    """Return how many environments the addresses and the Region's interfaces allow."""
    interfaces = min(free_addresses(parameters), parameters.interface_limit)
    return subnets.environments_on(interfaces, parameters.memory)


def findings_of(parameters: Parameters, account: Account, limit: int, function: Function, trace: Trace) -> Findings:
    """Summarise a load test in the terms of hey's report, the limiter's, and the bill's."""
    latencies, causes = trace.latencies, trace.causes
    statuses = Counter({"200": causes["succeeded"], "502": latencies.count - causes["succeeded"] - causes["rejected"]})
    statuses[parameters.throttle_status] += causes["rejected"]
    size = statuses["200"] * len(SUCCESS) + (latencies.count - statuses["200"]) * len(FAILURE)
    percentiles = zip(PERCENTILES, latencies.percentiles(PERCENTILES), strict=True)
    return {
        "requests": Finding(latencies.count, "requests"),
        "succeeded": Finding(causes["succeeded"], "requests"),
        "rejected": Finding(causes["rejected"], "requests"),
        "timed_out": Finding(causes["timed_out"], "requests"),
        "gateway_errors": Finding(causes["gateway_errors"], "requests"),
        **{f"status_{status}": Finding(statuses[status], "responses") for status in sorted(statuses)},
        "total_seconds": Finding(round(trace.end, 4), "s"),
        "requests_per_second": Finding(round(latencies.count / trace.end, 4), "1/s"),
        "average_seconds": Finding(round(latencies.total / latencies.count, 4), "s"),
        "fastest_seconds": Finding(round(latencies.fastest, 4), "s"),
        "slowest_seconds": Finding(round(latencies.slowest, 4), "s"),
        **{f"p{share}_seconds": Finding(round(value, 4), "s") for share, value in percentiles},
        "total_data_bytes": Finding(size, "bytes"),
        "bytes_per_request": Finding(size // latencies.count, "bytes"),
        "concurrency_limit": Finding(limit, "executions"),
        "reserved": Finding(parameters.reserved_concurrency is not None, "yes or no"),
        "unreserved_left": Finding(account.unreserved, "executions"),
        "peak_concurrency": Finding(function.environments.peak_busy, "executions"),
        "cold_starts": Finding(function.environments.started, "environments"),
        "memory": Finding(parameters.memory, "MB"),
        **load_test_costs(parameters, limit, function),
        **(_addresses(parameters, function, trace) if parameters.scenario == "VPC" else {}),
        "histogram": Finding(latencies.histogram(), "responses up to each edge in s"),
    }


def _addresses(parameters: Parameters, function: Function, trace: Trace) -> Findings:
    peak = function.environments.peak
    return {
        "no_address": Finding(trace.causes["no_address"], "requests"),
        "free_addresses": Finding(free_addresses(parameters), "addresses"),
        "peak_environments": Finding(peak, "environments"),
        "peak_interfaces": Finding(subnets.interfaces_for(peak, parameters.memory), "interfaces"),
    }
