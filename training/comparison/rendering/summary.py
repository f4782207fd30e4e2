"""The first table: a row per metric, a column per framework. Each section explains its metrics."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from training.comparison.config import SECTIONS
from training.comparison.model_quality.summary import epochs_of
from training.comparison.training_speed.summary import own_speed
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import mean_spread, megabytes, prose, spread, table


def write_summary(content: Mapping[str, Any]) -> list[str]:
    """Return the lines of the table; a dash marks a missing result."""
    measured = {
        framework
        for name in SECTIONS
        for framework in content["sections"].get(name, {}).get("frameworks", ())
        if framework in FRAMEWORKS
    }
    frameworks = [framework for framework in FRAMEWORKS if framework in measured]
    if not frameworks:
        return []
    settings = content["sections"].get("quality", {}).get("settings")
    samples = settings["samples"] if settings else ""
    trained = f" after {count_of(epochs_of(settings), 'epoch')}" if settings else ""
    figures: dict[str, Callable[[Mapping[str, Any], str], str]] = {
        "tokens of code": _tokens,
        "trainer's own way": lambda _, framework: FRAMEWORKS[framework].own_mode,
        "seconds per epoch": lambda content, framework: _of_speed(content, framework, "epoch_seconds"),
        "the first epoch's extra, seconds": lambda content, framework: _of_speed(content, framework, "compile_seconds"),
        f"-ELBO{trained}, nats": lambda content, framework: _of_quality(content, framework, "elbo"),
        f"-L{samples}, upper bound of -log p(x){trained}, nats": lambda content, framework: _of_quality(
            content, framework, "iwae"
        ),
        "start to first image, seconds": _start,
        "one image, ms": _one_image,
        "packages on disk, MB": _disk,
    }
    rows = [[name, *(figure(content, framework) for framework in frameworks)] for name, figure in figures.items()]
    return [
        "## In one table",
        *table(["", *(FRAMEWORKS[framework].title for framework in frameworks)], rows),
        *prose(_write_parts(content, frameworks)),
    ]


def _write_parts(content: Mapping[str, Any], frameworks: Iterable[str]) -> str:
    """Return a sentence on trainers of whose epoch only a part was timed, or nothing."""
    speeds = {FRAMEWORKS[name].title: own_speed(content, name) for name in frameworks}
    parts = [
        f"{title}'s: {speed.part:.0%} of one" for title, speed in speeds.items() if speed is not None and speed.part < 1
    ]
    return f"Seconds per epoch are of whole epochs, except {', '.join(parts)}, multiplied." if parts else ""


def _entry(content: Mapping[str, Any], section: str, framework: str) -> Any:
    return content["sections"].get(section, {}).get("frameworks", {}).get(framework)


def _tokens(content: Mapping[str, Any], framework: str) -> str:
    section = content["sections"].get("code")
    if section is None or framework not in section["frameworks"]:
        return "-"
    return f"{sum(file['frameworks'][framework]['tokens'] for file in section['files'].values()):,}"


def _of_speed(content: Mapping[str, Any], framework: str, name: str) -> str:
    speed = own_speed(content, framework)
    return "-" if speed is None else spread(getattr(speed, name))


def _of_quality(content: Mapping[str, Any], framework: str, name: str) -> str:
    entry = _entry(content, "quality", framework)
    return mean_spread([-run[name]["value"] for run in entry["seeds"].values()]) if entry else "-"


def _start(content: Mapping[str, Any], framework: str) -> str:
    entry = _entry(content, "inference", framework)
    return spread([start["total_seconds"] for start in entry["starts"]]) if entry else "-"


def _one_image(content: Mapping[str, Any], framework: str) -> str:
    entry = _entry(content, "inference", framework)
    if not entry:
        return "-"
    rounds = [
        timing["median_seconds"] * 1e3 for process in entry["processes"] for timing in process["batches"]["1"]["rounds"]
    ]
    return f"{statistics.median(rounds):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def _disk(content: Mapping[str, Any], framework: str) -> str:
    entry = _entry(content, "inference", framework)
    return megabytes(sum(entry["disk"]["packages"].values())) if entry else "-"
