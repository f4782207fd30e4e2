"""The page's section on the speed of a trained model."""

import statistics
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.comparison.page.plots import COLOURS, MARKERS, name_panel, new_panels
from training.comparison.page.tables import NAMES, megabytes, prose, spread, table
from training.reporting.figures.style import STYLE


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["inference"]
    settings = section["settings"]
    found = {name: section["frameworks"][name] for name in NAMES if name in section["frameworks"]}
    sizes = [str(size) for size in settings["batch_sizes"]]
    threads = ", ".join(f"{NAMES[name]} {entry['processes'][0]['threads']}" for name, entry in found.items())
    latency = [
        [NAMES[name], *(spread(_rounds(entry, size, "median_seconds")) for size in sizes)]
        for name, entry in found.items()
    ]
    slow = [
        [NAMES[name], *(spread(_rounds(entry, size, "p95_seconds")) for size in sizes)] for name, entry in found.items()
    ]
    throughput = [
        [
            NAMES[name],
            *(f"{int(size) / statistics.median(_rounds(entry, size, 'median_seconds')) * 1e3:,.0f}" for size in sizes),
        ]
        for name, entry in found.items()
    ]
    first = [[NAMES[name], *(spread(_firsts(entry, size), 1) for size in sizes)] for name, entry in found.items()]
    headers = ["images in a call", *sizes]
    return [
        *prose(f"""`reconstruct`, from NumPy to NumPy: {settings["processes"]} processes with {settings["rounds"]}
            rounds each; threads: {threads}. Warm calls, ms: the median of a round's calls; median of all rounds, with
            the least and the most."""),
        *table(headers, latency),
        "The same for the 95th percentile of a round's calls, ms:",
        *table(headers, slow),
        "Images a second, one call after the other, from the median:",
        *table(headers, throughput),
        "The first call of each size in its process, in this order, ms:",
        *table(headers, first),
        *prose("""From the start of Python to the first image, each a fresh process, in seconds: importing the
            framework, loading a checkpoint into it, the first call of one image; all of it, with what else is
            imported."""),
        *table(
            ["", "import", "load", "first call", "all"],
            [
                [
                    NAMES[name],
                    *(
                        spread([start[f"{part}_seconds"] for start in entry["starts"]], 3)
                        for part in ("import", "load", "first_call", "total")
                    ),
                ]
                for name, entry in found.items()
            ],
        ),
        *prose("""On the disk, MB: the packages that this project's extra of the framework names, with all that they
            need; the largest of them; and a checkpoint."""),
        *table(
            ["", "packages", "the largest", "checkpoint"],
            [
                [
                    NAMES[name],
                    megabytes(sum(entry["disk"]["packages"].values())),
                    _largest(entry["disk"]["packages"]),
                    f"{entry['disk']['checkpoint'] / 1e6:.1f}",
                ]
                for name, entry in found.items()
            ],
        ),
    ]


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw latency and throughput by the images in a call."""
    section = content["sections"]["inference"]
    sizes = section["settings"]["batch_sizes"]
    figure, (left, right) = new_panels(
        "Inference: warm calls from NumPy to NumPy",
        "median of all rounds, and as a bar the least and the most of a round; both scales logarithmic",
    )
    with rc_context(STYLE):
        for name in NAMES:
            entry = section["frameworks"].get(name)
            if entry is None:
                continue
            rounds = [_rounds(entry, str(size), "median_seconds") for size in sizes]
            style: dict[str, Any] = {
                "color": COLOURS[name],
                "marker": MARKERS[name],
                "markersize": 6,
                "linewidth": 1.4,
                "capsize": 3,
                "label": NAMES[name],
            }
            middles = [statistics.median(values) for values in rounds]
            left.errorbar(sizes, middles, yerr=_bars(middles, rounds), **style)
            rates = [[size / value * 1e3 for value in values] for size, values in zip(sizes, rounds, strict=True)]
            middles = [statistics.median(values) for values in rates]
            right.errorbar(sizes, middles, yerr=_bars(middles, rates), **style)
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.minorticks_off()
        left.legend(loc="upper left")
        name_panel(left, "latency", "images in a call", "ms a call")
        name_panel(right, "throughput", "images in a call", "images/s")
    return figure


def _largest(packages: Mapping[str, int]) -> str:
    ordered = sorted(packages.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {megabytes(size)}" for name, size in ordered[:3])


def _rounds(entry: Mapping[str, Any], size: str, name: str) -> list[float]:
    """Return a figure of each round of each process, in ms."""
    return [each[name] * 1e3 for process in entry["processes"] for each in process["batches"][size]["rounds"]]


def _firsts(entry: Mapping[str, Any], size: str) -> list[float]:
    return [process["batches"][size]["first_seconds"] * 1e3 for process in entry["processes"]]


def _bars(middles: list[float], values: list[list[float]]) -> list[list[float]]:
    return [
        [middle - min(each) for middle, each in zip(middles, values, strict=True)],
        [max(each) - middle for middle, each in zip(middles, values, strict=True)],
    ]
