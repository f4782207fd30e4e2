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
        for part, figures in parts.items():
            if "skipped" in figures:
                lines += ["", f"{framework}, {part}: not measured: {figures['skipped']}."]
            else:
                lines += _TABLES[part](framework, figures)
    return "\n".join(lines).replace("\n\n\n", "\n\n").strip() + "\n"


def _parity(framework: str, figures: Mapping[str, Any]) -> Iterator[str]:
    worst = max(figures["relative_difference"].values())
    yield ""
    yield (
        f"{framework} on {figures['device_name'] or 'a CPU'}: largest difference from NumPy in float64 {worst:.1e} "
        f"(relative); batches of up to {figures['max_batch']} pay; loaded in {figures['load_seconds']} s."
    )


def _throughput(framework: str, figures: Mapping[str, Any]) -> list[str]:
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
        for row in figures["sizes"]
    ]
    return table(heads, rows)


def _latency(framework: str, figures: Mapping[str, Any]) -> list[str]:
    heads = [f"{framework}: batch", "median, ms", "99th percentile, ms", "median without a CUDA graph, ms"]
    rows = [
        [
            size,
            f"{latency['median_ms']:.3f}",
            f"{latency['p99_ms']:.3f}",
            f"{latency['eager']['median_ms']:.3f}" if "eager" in latency else "",
        ]
        for size, latency in figures.items()
    ]
    return table(heads, rows)


def _sharing(_framework: str, figures: Mapping[str, Any]) -> list[str]:
    pairs = zip(figures["frameworks"], figures["images_per_second"], strict=True)
    rows = [[name, f"{rate:,.0f}" if rate else "failed"] for name, rate in pairs]
    return table(["three processes on one card", "images/s of each at once, largest batch"], rows)


def _training(framework: str, figures: Mapping[str, Any]) -> list[str]:
    line = (
        f"{framework}: a training of {count_of(figures['epochs'], 'epoch')} took {figures['seconds']} s "
        f"(goal {TRAINING_GOAL_S} s), {figures['epoch_seconds']:.3f} s an epoch; "
        f"test -ELBO {-figures['test_elbo']:.2f} nats."
    )
    return ["", line]


_TABLES = {
    "parity": _parity,
    "throughput": _throughput,
    "latency": _latency,
    "sharing": _sharing,
    "training": _training,
}
