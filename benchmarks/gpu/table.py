"""Tables of the GPU benchmark's JSON file. Measures nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.counts import count_of
from training.reporting.markdown_tables import table

SHARE_GOAL = 0.7
"""Goal: minimum share of the products' rate at the largest batch, without transfers."""

TRAINING_GOAL_S = 60
"""Goal: maximum seconds of a `full` training."""


def render(values: Mapping[str, Any]) -> str:
    """Return all tables as Markdown; a part that was skipped is a line with its reason."""
    versions = ", ".join(f"{package} {version}" for package, version in values["versions"].items())
    lines = [f"{values['machine']}; {versions}. Measured in {values.get('seconds', 0):.0f} s."]
    for framework, parts in values["frameworks"].items():
        for part, found in parts.items():
            if "skipped" in found:
                lines += ["", f"{framework}, {part}: not measured: {found['skipped']}."]
            else:
                lines += _TABLES[part](framework, found)
    return "\n".join(lines).replace("\n\n\n", "\n\n").strip() + "\n"


def _parity(framework: str, found: Mapping[str, Any]) -> Iterator[str]:
    worst = max(found["relative_difference"].values())
    yield ""
    yield (
        f"{framework} on {found['device_name'] or 'a CPU'}: largest difference from NumPy in float64 {worst:.1e} "
        f"(relative); batches of up to {found['max_batch']} pay; loaded in {found['load_seconds']} s."
    )


def _throughput(framework: str, found: Mapping[str, Any]) -> list[str]:
    heads = [
        framework,
        "images/s, host to host",
        "on the device",
        "bare products",
        f"share of products (goal {SHARE_GOAL} at the largest)",
    ]
    names = ("images_per_second", "images_per_second_on_device", "images_per_second_of_products")
    rows = [
        [f"{row['batch']:,}", *(f"{row[name]:,.0f}" for name in names), f"{row['share_of_products']:.2f}"]
        for row in found["sizes"]
    ]
    return table(heads, rows)


def _latency(framework: str, found: Mapping[str, Any]) -> list[str]:
    heads = [f"{framework}: batch", "median, ms", "99th percentile, ms", "median without a CUDA graph, ms"]
    rows = [
        [
            size,
            f"{one['median_ms']:.3f}",
            f"{one['p99_ms']:.3f}",
            f"{one['eager']['median_ms']:.3f}" if "eager" in one else "",
        ]
        for size, one in found.items()
    ]
    return table(heads, rows)


def _sharing(_framework: str, found: Mapping[str, Any]) -> list[str]:
    pairs = zip(found["frameworks"], found["images_per_second"], strict=True)
    rows = [[name, f"{rate:,.0f}" if rate else "failed"] for name, rate in pairs]
    return table(["three processes on one card", "images/s of each at once, largest batch"], rows)


def _training(framework: str, found: Mapping[str, Any]) -> list[str]:
    line = (
        f"{framework}: a training of {count_of(found['epochs'], 'epoch')} took {found['seconds']} s "
        f"(goal {TRAINING_GOAL_S} s), {found['epoch_seconds']:.3f} s an epoch; "
        f"test -ELBO {-found['test_elbo']:.2f} nats."
    )
    return ["", line]


_TABLES = {
    "parity": _parity,
    "throughput": _throughput,
    "latency": _latency,
    "sharing": _sharing,
    "training": _training,
}
