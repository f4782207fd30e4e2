"""A sudden rise of load with an autoscaler, simulated with the times that `queueing` calibrated. Measures nothing."""

import json
import statistics
from typing import Any, Final

from benchmarks.scaling.options import Options
from benchmarks.scaling.queueing import BATCH, IMAGES
from benchmarks.scaling.simulation import Fleet, Outcome, Scaling, ServiceTimes, simulate
from benchmarks.serving.processes import ROOT
from training.reporting.markdown_tables import table

RISE: Final = (0.5, 4.0)
"""Load before and after the rise, as a multiple of a replica's highest throughput."""

LIMIT: Final = 8192 // IMAGES
"""The default limit of a replica's queue, in requests."""

TARGET: Final = 32
"""Requests waiting or computed per replica that the autoscaler aims at, as in `deploy/ray/serve.yaml`."""

RISES_AT_S: Final = 15.0

SECONDS: Final = 120.0

STARTS_S: Final = (2.0, 10.0, 60.0)
"""Seconds until a new replica is ready: a process, one on Ray, and one on a machine that has to start first."""

Figures = dict[str, Any]


def measure(_options: Options) -> Figures:
    """Return what clients see for each time that a replica takes to start."""
    record = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8")).get("queueing")
    if record is None:
        raise SystemExit("docs/scaling.json has no service times yet: run --part queueing --write first")
    rounds = sorted(record["figures"]["rounds"], key=lambda measurement: measurement["highest_per_s"])
    middle = rounds[len(rounds) // 2]
    return {"rises": [_rise(ServiceTimes(**middle["times"]), start_s) for start_s in STARTS_S]}


def report(figures: Figures) -> list[str]:
    """Return the lines of the table."""
    head = ["a replica starts in, s", "requests rejected", "until none is rejected, s", "replicas at the end"]
    rows = [
        [
            f"{rise['start_s']:g}",
            f"{rise['rejected']:.1%}",
            f"{rise['shed_for_s']:.0f}",
            f"{rise['replicas']}",
            f"{rise['before_ms']:.1f}",
            f"{rise['after_ms']:.1f}",
        ]
        for rise in figures["rises"]
    ]
    return table([*head, "p50 before, ms", "p50 at the end, ms"], rows)


def _rise(times: ServiceTimes, start_s: float) -> dict[str, float]:
    highest = BATCH / (times.per_cycle + BATCH * times.per_request)
    before, after = RISE
    outcome = simulate(
        lambda now: highest * (before if now < RISES_AT_S else after),
        Fleet(times=times, limit=LIMIT, batch=BATCH, scaling=Scaling(most=8, target=TARGET, start_s=start_s)),
        seconds=SECONDS,
        seed=0,
    )
    sent = len(outcome.latencies_s) + len(outcome.rejected_at)
    return {
        "start_s": start_s,
        "rejected": len(outcome.rejected_at) / sent,
        "shed_for_s": max(outcome.rejected_at, default=RISES_AT_S) - RISES_AT_S,
        "before_ms": _median_ms(outcome, 0, RISES_AT_S),
        "after_ms": _median_ms(outcome, SECONDS - 10, SECONDS),
        "replicas": outcome.replicas_at[-1][1] if outcome.replicas_at else 1,
    }


def _median_ms(outcome: Outcome, start: float, end: float) -> float:
    latencies = [latency for arrived, latency in outcome.latencies_s if start <= arrived < end]
    return statistics.median(latencies) * 1e3 if latencies else float("nan")
