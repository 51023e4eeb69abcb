"""What a simulated load test costs: 5,000 requests many times over, and a great many once, with the memory it took."""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from typing import Any

from benchmarks.lambda_calibration import RUNS, Silent
from benchmarks.promises import Promise, record
from labs import child, registry

SEEDS = 40
PROMISED_MS, PROMISED_SECONDS = 40, 60


def spent(code: Any, parameters: Any, seed: int) -> float:
    """Return the CPU seconds of one run."""
    begun = time.process_time()
    code.run(parameters, seed, Silent())
    return time.process_time() - begun


def peak_mebibytes() -> float:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print CPU and memory beside what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000_000)
    most = parser.parse_args().requests
    lab = registry.read(registry.CATALOG / "lambda_concurrency")
    code = child.load(lab.folder / "lab.py")
    print("| | CPU, least | median | promised | largest RSS, MiB |\n|---|--:|--:|--:|--:|")
    kept = []
    for name, texts in {"exact": {}, **RUNS}.items():
        parameters = code.Parameters(**lab.read(texts)[0])
        times = [1000 * spent(code, parameters, seed) for seed in range(SEEDS)]
        figures = f"{min(times):.1f} ms | {statistics.median(times):.1f} ms | {PROMISED_MS} ms"
        print(f"| 5,000 requests, {name} | {figures} | {peak_mebibytes():.0f} |")
        kept.append(Promise(f"5,000 simulated requests, {name}", min(times), "ms CPU", PROMISED_MS))
    for requests in (most // 10, most):
        parameters = code.Parameters(**lab.read({"requests": str(requests)})[0])
        seconds = spent(code, parameters, 1)
        print(
            f"| {requests:,} requests | {seconds:.1f} s | | {PROMISED_SECONDS} s | {peak_mebibytes():.0f} |", flush=True
        )
    kept.append(Promise(f"{most:,} simulated requests", seconds, "s CPU", PROMISED_SECONDS))
    record("lambda_speed", kept)


if __name__ == "__main__":
    main()
