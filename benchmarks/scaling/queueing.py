"""The simulation beside the service: calibrated by three loads, checked at others.

The service has a short queue, so that it sheds load already with the connections of one client. Requests have many
images, so that the client, a program in Python, has less to do than the service.
"""

import statistics
import sys
from typing import Any, Final

from benchmarks.scaling.options import Options
from benchmarks.scaling.simulation import MAX_BATCH, Fleet, Outcome, ServiceTimes, simulate
from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.processes import service
from benchmarks.serving.tables import verdict
from benchmarks.serving.wrk import Request, run_wrk
from training.reporting.markdown_tables import spread, table

FRAMEWORK: Final = "pytorch"

IMAGES: Final = 64
"""Images per request."""

BATCH: Final = MAX_BATCH // IMAGES
"""Requests that share a batch."""

LIMIT: Final = 32
"""Queue of the service, in requests."""

CALIBRATION_LOAD: Final = 2.5
"""Rate at which the cost of a rejection is measured, as a share of the highest throughput."""

LOADS: Final = (0.5, 1.2, 1.5)
"""Rates to check, as shares of the highest throughput."""

TOLERANCE: Final = 0.2
"""Goal: the simulation's figures are within this share of the service's."""

Figures = dict[str, Any]


def measure(options: Options) -> Figures:
    """Return the calibrated times, and both results at each load."""
    server_core, client_core = options.server_cores[0], options.client_core
    arguments = ("--max-queue-images", str(LIMIT * IMAGES))
    with service(server_core, frameworks=[FRAMEWORK], arguments=arguments) as server:
        request = Case("npy", FRAMEWORK, IMAGES).request(server.url)
        run_wrk(request, core=client_core, connections=LIMIT // 2, seconds=1)  # warms up
        rounds = []
        for _ in range(options.rounds):
            times, highest = _calibrate(request, client_core=client_core, seconds=options.seconds)
            loads = [_compare(request, load * highest, times, options) | {"load": load} for load in LOADS]
            rounds.append({"times": _as_json(times), "highest_per_s": highest, "loads": loads})
    return {"rounds": rounds}


def report(figures: Figures) -> list[str]:
    """Return the lines of the table."""
    head = ["load", "figure", "service", "simulation", "simulation / service", "goal", "met"]
    rows = []
    for position, load in enumerate(LOADS):
        comparisons = [measurement["loads"][position] for measurement in figures["rounds"]]
        for name, title, digits in (("goodput_per_s", "responses/s", 0), ("p50_ms", "p50, ms", 2)):
            real = [comparison["real"][name] for comparison in comparisons]
            simulated = [comparison["simulated"][name] for comparison in comparisons]
            ratios = [prediction / actual for prediction, actual in zip(simulated, real, strict=True)]
            middle = statistics.median(ratios)
            met = verdict(abs(middle - 1), below=TOLERANCE)[1]
            cells = [f"{load:g}", title, spread(real, digits), spread(simulated, digits), spread(ratios)]
            rows.append([*cells, f"within {TOLERANCE:.0%}", met])
    return table(head, rows)


def _calibrate(request: Request, *, client_core: int, seconds: int) -> tuple[ServiceTimes, float]:
    """Return the times that explain one connection, full batches and overload, and the throughput of full batches."""
    one, many = (
        run_wrk(request, core=client_core, connections=connections, seconds=seconds).requests_per_s
        for connections in (1, LIMIT // 2)
    )
    # One request: cycle + request. A full batch: cycle / BATCH + request, each.
    per_cycle = (1 / one - 1 / many) * BATCH / (BATCH - 1)
    # Overload: what the responses leave of each second is spent on rejections.
    stream = Stream(request, rate=CALIBRATION_LOAD * many, connections=8 * LIMIT)
    (overload,) = ask([stream], core=client_core, seconds=seconds)
    if not overload.count(429):
        sys.exit(f"nothing was rejected at {CALIBRATION_LOAD:g} times the highest throughput: the client is too slow")
    left = 1 - overload.goodput_per_s / many
    per_rejection = left * seconds / overload.count(429)
    return ServiceTimes(per_cycle, 1 / many - per_cycle / BATCH, max(per_rejection, 1e-6)), many


def _compare(request: Request, rate: float, times: ServiceTimes, options: Options) -> dict[str, Any]:
    """Return what the service and the simulation do at a rate."""
    stream = Stream(request, rate=rate, connections=8 * LIMIT)
    (real,) = ask([stream], core=options.client_core, seconds=options.seconds)
    model = simulate(lambda _: rate, Fleet(times=times, limit=LIMIT, batch=BATCH), seconds=options.seconds)
    sent = real.count(200) + real.count(429)
    measured = {"goodput_per_s": real.goodput_per_s, "rejected": real.count(429) / max(sent, 1)}
    return {
        "real": measured | {"p50_ms": real.percentile_ms(50)},
        "simulated": _summary(model, options.seconds),
    }


def _as_json(times: ServiceTimes) -> dict[str, float]:
    return {name: getattr(times, name) for name in ("per_cycle", "per_request", "per_rejection")}


def _summary(outcome: Outcome, seconds: float) -> dict[str, float]:
    late = [latency for arrived, latency in outcome.latencies_s if arrived + latency > seconds / 2]
    sent = len(outcome.latencies_s) + len(outcome.rejected_at)
    return {
        "goodput_per_s": len(late) / (seconds / 2),
        "rejected": len(outcome.rejected_at) / max(sent, 1),
        "p50_ms": statistics.median(latency for _, latency in outcome.latencies_s) * 1e3,
    }
