"""Cores, machines and network that rates of requests take, by arithmetic on the times in `docs/performance.json`."""

import json
import math
import statistics
from typing import Any, Final

from benchmarks.scaling.options import Options
from benchmarks.serving.cases import Case
from benchmarks.serving.processes import ROOT
from training.reporting.markdown_tables import table

RATES: Final = (1_000, 100_000, 10_000_000)

UTILIZATION: Final = 0.6
"""Share of a core that is planned for: the rest is for peaks, and for replicas that fail or are replaced."""

CORES_OF_A_MACHINE: Final = 32

GBIT_OF_A_MACHINE: Final = 25.0

PRICE: Final = 0.04
"""Assumed price of a core with its share of memory, in dollars an hour."""

HEADER_BYTES: Final = 700
"""Of request and response together, as the service sends them."""

BATCH: Final = 64
"""Images of a larger request."""

Figures = dict[str, Any]


def measure(_options: Options) -> Figures:
    """Return core seconds and bytes of a request of each kind, from the recorded measurements."""
    recorded = json.loads((ROOT / "docs" / "performance.json").read_text(encoding="utf-8"))
    kinds = {}
    for kind in ("npy", "JSON"):
        figure = next(
            figure
            for figure in recorded["throughput"]["figures"]
            if (figure["kind"], figure["by"], figure["connections"]) == (kind, "pytorch", 64)
        )
        kinds[f"{kind}, 1 image"] = {
            "core_us": statistics.median(run["cpu_us"] for run in figure["runs"]),
            "model_us": statistics.median(run["bare_s"] for run in figure["runs"]) * 1e6,
            "bytes": 2 * len(Case(kind, "pytorch").request("http://x").body) + HEADER_BYTES,
            "images": 1,
        }
    large = next(
        figure for figure in recorded["overload"]["figures"] if figure["case"] == f"npy pytorch {BATCH} images"
    )
    kinds[f"npy, {BATCH} images"] = {
        "core_us": 1e6 / statistics.median(run["highest_per_s"] for run in large["runs"]),
        "model_us": kinds["npy, 1 image"]["model_us"] * BATCH,
        "bytes": 2 * len(Case("npy", "pytorch", BATCH).request("http://x").body) + HEADER_BYTES,
        "images": BATCH,
    }
    return {"kinds": kinds, "machine": recorded["throughput"]["conditions"]["machine"]}


def report(figures: Figures) -> list[str]:
    """Return the lines of both tables."""
    kinds = figures["kinds"]
    head = ["a request of", "core time, us", "of it the bare model, us", "bytes both ways", "images/s of a core"]
    times = [
        [
            name,
            f"{kind['core_us']:,.0f}",
            f"{kind['model_us']:,.0f}",
            f"{kind['bytes']:,}",
            f"{kind['images'] / kind['core_us'] * 1e6:,.0f}",
        ]
        for name, kind in kinds.items()
    ]
    needs_head = ["images/s", "sent as", "cores", "machines", "network, Gbit/s", "dollars an hour"]
    needs = [_needs(rate, name, kind) for rate in RATES for name, kind in kinds.items()]
    return [
        *table(head, times),
        f"Times of the recorded measurements, on {figures['machine']}.",
        *table(needs_head, needs),
    ]


def _needs(rate: int, name: str, kind: dict[str, float]) -> list[str]:
    requests = rate / kind["images"]
    cores = math.ceil(requests * kind["core_us"] / 1e6 / UTILIZATION)
    gbit = requests * kind["bytes"] * 8 / 1e9
    machines = max(math.ceil(cores / CORES_OF_A_MACHINE), math.ceil(gbit / GBIT_OF_A_MACHINE))
    return [f"{rate:,}", name, f"{cores:,}", f"{machines:,}", f"{gbit:,.2f}", f"{cores * PRICE:,.2f}"]
