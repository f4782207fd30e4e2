"""The page's section on the speed of training."""

import statistics
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from training.comparison.model_quality.summary import LEVELS, epochs_of, epochs_to, mean_curve
from training.comparison.rendering.plots import name_panel, new_panels
from training.comparison.training_speed.batch_sizes import write_batch_sizes
from training.comparison.training_speed.summary import Speed, speed_of
from training.config import PRESETS
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import STYLE
from training.reporting.markdown_tables import megabytes, prose, spread, table


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["training"]
    settings = section["settings"]
    speeds = _speeds(section)
    quality = content["sections"].get("quality")
    epochs = epochs_of(quality["settings"]) if quality else PRESETS[settings["preset"]].epochs
    measured = {name: speed for name, speed in speeds.items() if speed is not None}
    rows = [
        [
            _label(*name),
            spread(speed.first_seconds),
            spread(speed.compile_seconds),
            spread(speed.epoch_seconds),
            f"{speed.images / statistics.median(speed.epoch_seconds):,.0f}",
            spread(speed.cores),
            f"{megabytes(max(speed.peak_bytes))} ({megabytes(max(speed.loaded_bytes))})",
        ]
        for name, speed in measured.items()
    ]
    threads = ", ".join(
        f"{FRAMEWORKS[name].title} {speed.threads}" for (name, mode), speed in measured.items() if mode == "eager"
    )
    parts = [
        f"{FRAMEWORKS[framework].title} {speed.part:.0%}"
        for (framework, mode), speed in measured.items()
        if speed.part < 1 and mode
    ]
    images = next((speed.images for speed in measured.values()), 0)
    lines = [
        *prose(f"""An epoch is {images:,} images in batches of {PRESETS[settings["preset"]].batch_size}; timed epochs in
            each process: {settings["rounds"]}, processes: {settings["processes"]}; threads: {threads}. In *italics*,
            the way in which the trainer itself runs. *First* is the first call: an epoch where operations are compiled,
            a part of one where they run eagerly. *Extra* is how much longer it took than the median of the later ones
            of its process: compilation, where something is compiled.
            {f"Of an eager epoch only a part was timed ({', '.join(parts)}), and multiplied." if parts else ""}"""),
        *table(
            [
                "",
                "first, s",
                "extra, s",
                "an epoch, s",
                "images/s",
                "cores in use",
                "peak memory, MB (before the first step)",
            ],
            rows,
        ),
    ]
    for (framework, mode), speed in speeds.items():
        if speed is None:
            reason = next(
                process["unavailable"]
                for process in section["frameworks"][framework]["modes"][mode]
                if "unavailable" in process
            )
            lines += [f"{FRAMEWORKS[framework].title}, {mode}: not measured: {reason}.", ""]
    return [*lines, *write_batch_sizes(section), *_write_runs(content, measured, epochs)]


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw the seconds of an epoch, and what the first costs beyond them."""
    section = content["sections"]["training"]
    speeds = {name: speed for name, speed in _speeds(section).items() if speed is not None}
    figure, panels = new_panels(
        "Training: seconds of an epoch, and of the first beyond it",
        "each dot an epoch or a process, logarithmic scale; a filled mark is the way in which the trainer itself runs",
        height=max(3.6, 1.6 + 0.33 * len(speeds)),
    )
    figure.subplots_adjust(left=0.25, wspace=0.08)
    with rc_context(STYLE):
        for axes, name in zip(panels, ("epoch_seconds", "compile_seconds"), strict=True):
            for place, ((framework, mode), speed) in enumerate(reversed(speeds.items())):
                values = [value for value in getattr(speed, name) if value >= 1e-3]
                own = mode == FRAMEWORKS[framework].own_mode
                axes.plot(
                    values,
                    [place] * len(values),
                    linestyle="none",
                    marker=FRAMEWORKS[framework].marker,
                    markersize=7,
                    color=FRAMEWORKS[framework].color,
                    markerfacecolor=FRAMEWORKS[framework].color if own else "none",
                    alpha=0.75,
                )
                if values:
                    middle = statistics.median(values)
                    axes.annotate(
                        f"{middle:.2g}" if middle < 10 else f"{middle:.0f}",
                        (max(values), place),
                        xytext=(8, 0),
                        textcoords="offset points",
                        va="center",
                        fontsize=8.5,
                    )
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.margins(x=0.16)
            axes.set_ylim(-0.6, len(speeds) - 0.4)
            axes.set_yticks(range(len(speeds)), [""] * len(speeds))
            axes.tick_params(axis="y", length=0)
        panels[0].set_yticklabels([f"{FRAMEWORKS[framework].title}, {mode}" for framework, mode in reversed(speeds)])
        name_panel(panels[0], "an epoch", "seconds", "")
        name_panel(panels[1], "extra of the first epoch: compiling", "seconds", "")
    return figure


def _speeds(section: Mapping[str, Any]) -> dict[tuple[str, str], Speed | None]:
    entries = section["frameworks"]
    return {
        (name, mode): speed_of(processes)
        for name in FRAMEWORKS
        if name in entries
        for mode, processes in entries[name]["modes"].items()
    }


def _label(framework: str, mode: str) -> str:
    text = f"{FRAMEWORKS[framework].title}, {mode}"
    return f"*{text}*" if mode == FRAMEWORKS[framework].own_mode else text


def _write_runs(content: Mapping[str, Any], speeds: Mapping[tuple[str, str], Speed], epochs: int) -> list[str]:
    quality = content["sections"].get("quality", {}).get("frameworks", {})
    rows = []
    for (framework, mode), speed in speeds.items():
        curve = mean_curve(quality[framework]) if quality.get(framework, {}).get("seeds") else []
        reached = [epochs_to(curve, level) for level in LEVELS]
        rows.append(
            [
                _label(framework, mode),
                *("-" if count is None else f"{speed.run_seconds(count):,.0f} ({count})" for count in reached),
                f"{speed.run_seconds(epochs):,.0f}",
            ]
        )
    return [
        *prose(f"""Computed from these and from the quality section's curves (mean of the seeds, validation images,
            target `fixed`): seconds until -ELBO is at or below a level, with the number of epochs, and seconds of a
            whole run of {count_of(epochs, "epoch")}. A dash: not reached, or not measured."""),
        *table(["", *(f"to {level} nats, s (epochs)" for level in LEVELS), "whole run, s"], rows),
    ]
