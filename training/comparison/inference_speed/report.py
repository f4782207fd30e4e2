"""The page's section on the speed of a trained model."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.comparison.inference_speed.section import COMPILERS
from training.comparison.rendering.plots import name_panel, new_panels
from training.comparison.results_file import measured_frameworks
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import STYLE
from training.reporting.markdown_tables import megabytes, prose, spread, table


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["inference"]
    settings = section["settings"]
    entries = measured_frameworks(section)
    sizes = [str(size) for size in settings["batch_sizes"]]
    threads = ", ".join(
        f"{FRAMEWORKS[name].title} {entry['processes'][0]['threads']}" for name, entry in entries.items()
    )
    variants = _variants(entries)
    latency = [
        [title, *(spread(_rounds(processes, size, "median_seconds")) for size in sizes)]
        for title, processes in variants.items()
    ]
    slow = [
        [title, *(spread(_rounds(processes, size, "p95_seconds")) for size in sizes)]
        for title, processes in variants.items()
    ]
    throughput = [
        [
            title,
            *(
                f"{int(size) / statistics.median(_rounds(processes, size, 'median_seconds')) * 1e3:,.0f}"
                for size in sizes
            ),
        ]
        for title, processes in variants.items()
    ]
    first = [[title, *(spread(_firsts(processes, size), 1) for size in sizes)] for title, processes in variants.items()]
    headers = ["images in a call", *sizes]
    return [
        *prose(f"""`reconstruct`, from NumPy to NumPy; processes: {settings["processes"]}, rounds in each:
            {settings["rounds"]}; threads: {threads}. Milliseconds of a warm call: the median of each round's calls, and
            of these the median over all rounds, with minimum and maximum."""),
        *table(headers, latency),
        "The same for the 95th percentile of a round's calls, ms:",
        *table(headers, slow),
        "Images per second, one call after the other, from that median:",
        *table(headers, throughput),
        *_write_first_calls(entries),
        *table(headers, first),
        *_write_memory(variants, sizes),
        *prose("""Seconds from the start of Python to the first image, each in a fresh process: importing the framework,
            loading a checkpoint into it, and the first call, of one image; *all* includes the other imports."""),
        *table(
            ["", "import", "load", "first call", "all"],
            [
                [
                    FRAMEWORKS[name].title,
                    *(
                        spread([start[f"{part}_seconds"] for start in entry["starts"]], 3)
                        for part in ("import", "load", "first_call", "total")
                    ),
                ]
                for name, entry in entries.items()
            ],
        ),
        *prose("""MB on disk: the packages of this project's extra for the framework, with all that they need; the
            largest of them; and a checkpoint."""),
        *table(
            ["", "packages", "the largest", "checkpoint"],
            [
                [
                    FRAMEWORKS[name].title,
                    megabytes(sum(entry["disk"]["packages"].values())),
                    _largest(entry["disk"]["packages"]),
                    f"{entry['disk']['checkpoint'] / 1e6:.1f}",
                ]
                for name, entry in entries.items()
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
        for name in FRAMEWORKS:
            entry = section["frameworks"].get(name)
            if entry is None:
                continue
            rounds = [_rounds(entry["processes"], str(size), "median_seconds") for size in sizes]
            style: dict[str, Any] = {
                "color": FRAMEWORKS[name].color,
                "marker": FRAMEWORKS[name].marker,
                "markersize": 6,
                "linewidth": 1.4,
                "capsize": 3,
                "label": FRAMEWORKS[name].title,
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


def _write_first_calls(entries: Mapping[str, Any]) -> list[str]:
    text = "The first call of each size in its process, in this order, ms"
    if entries.get("pytorch", {}).get("compiled"):
        text += """. `torch.compile` keeps its code on disk, and its processes share it: if there was none
            before, the first of them compiled (the maximum), and the others loaded the code"""
    return prose(f"{text}:")


def _write_memory(variants: Mapping[str, list[dict[str, Any]]], sizes: Sequence[str]) -> list[str]:
    if not all("peak_bytes" in processes[0]["batches"][size] for processes in variants.values() for size in sizes):
        return []
    rows = [
        [title, *(megabytes(max(process["batches"][size]["peak_bytes"] for process in processes)) for size in sizes)]
        for title, processes in variants.items()
    ]
    return [
        "Peak memory of the process up to the calls of each size, MB:",
        *table(["images in a call", *sizes], rows),
    ]


def _largest(packages: Mapping[str, int]) -> str:
    ordered = sorted(packages.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {megabytes(size)}" for name, size in ordered[:3])


def _variants(entries: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the processes of each framework's own way, and of its compiled one if it was measured, by title."""
    variants = {}
    for name, entry in entries.items():
        variants[FRAMEWORKS[name].title] = entry["processes"]
        if entry.get("compiled"):
            variants[f"{FRAMEWORKS[name].title}, {COMPILERS[name]}"] = entry["compiled"]
    return variants


def _rounds(processes: Sequence[Mapping[str, Any]], size: str, name: str) -> list[float]:
    """Return a statistic of each round of each process, in ms."""
    return [timing[name] * 1e3 for process in processes for timing in process["batches"][size]["rounds"]]


def _firsts(processes: Sequence[Mapping[str, Any]], size: str) -> list[float]:
    return [process["batches"][size]["first_seconds"] * 1e3 for process in processes]


def _bars(middles: list[float], values: list[list[float]]) -> list[list[float]]:
    return [
        [middle - min(samples) for middle, samples in zip(middles, values, strict=True)],
        [max(samples) - middle for middle, samples in zip(middles, values, strict=True)],
    ]
