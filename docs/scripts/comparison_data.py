"""Make app/web/data/comparison.json, what the page's tab Compare shows, of docs/comparison/comparison.json.

python docs/scripts/comparison_data.py

A chart is bars or lines: a value of each framework at each label or number of its axis, the median of those measured. A
section that wasn't measured is named as missing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from training.comparison.config import SECTIONS
from training.comparison.model_quality.summary import mean_curve
from training.comparison.training_speed.summary import speed_of
from training.frameworks import FRAMEWORKS, framework_look

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "docs" / "comparison" / "comparison.json"
TARGET: Final = ROOT / "app" / "web" / "data" / "comparison.json"
MODES: Final = ("compiled", "eager")
START: Final = {"import": "import", "load": "load", "first_call": "first call", "total": "total"}

Values = Mapping[str, Iterable[float | None]]


def summarise(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the charts, what isn't measured, and where the rest was."""
    sections = content["sections"]
    makers = {"training": _training, "quality": _quality, "inference": _inference, "code": _code}
    return {
        "smoke": content["smoke"],
        "frameworks": [framework_look(name) for name in FRAMEWORKS],
        "missing": [name for name in SECTIONS if name in makers and not _measured(sections.get(name, {}))],
        "charts": [
            {**chart, "section": name, "measured": _measured(sections[name])}
            for name, maker in makers.items()
            if _measured(sections.get(name, {}))
            for chart in maker(sections[name])
        ],
    }


def _measured(section: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return machine, commit and day of a section's figures, each different one once."""
    records = [section.get("measured")]
    for entry in dict(section["frameworks"] if isinstance(section.get("frameworks"), dict) else {}).values():
        records += [entry.get("measured"), *(run.get("measured") for run in entry.get("seeds", {}).values())]
    origins = [
        {"machine": record["machine"], "commit": (record["commit"] or "")[:12], "day": record["time"][:10]}
        for record in records
        if record
    ]
    return [origin for place, origin in enumerate(origins) if origin not in origins[:place]]


def _chart(kind: str, title: str, unit: str, axis: Iterable[str | int], values: Values) -> dict[str, Any]:
    series = [
        {"framework": name, "values": [None if value is None else float(f"{value:.4g}") for value in points]}
        for name, points in values.items()
    ]
    return {"kind": kind, "title": title, "unit": unit, "axis": list(axis), "series": series}


def _training(section: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    speeds = {
        name: [speed_of(section["frameworks"][name]["modes"][mode]) for mode in MODES]
        for name in _names(section["frameworks"])
    }
    for field, title in (
        ("epoch_seconds", "Training time per epoch"),
        ("compile_seconds", "Extra time for the first epoch (compiling)"),
    ):
        values = {
            name: [speed and median(getattr(speed, field)) for speed in mode_speeds]
            for name, mode_speeds in speeds.items()
        }
        yield _chart("bars", title, "s", MODES, values)


def _quality(section: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    runs = {name: section["frameworks"][name] for name in _names(section["frameworks"])}
    runs = {name: entry for name, entry in runs.items() if entry["seeds"]}
    figures = {"\N{MINUS SIGN}ELBO": "elbo", f"\N{MINUS SIGN}L{section['settings']['samples']} (bound)": "iwae"}
    values = {
        name: [-fmean(run[figure]["value"] for run in entry["seeds"].values()) for figure in figures.values()]
        for name, entry in runs.items()
    }
    curves = {name: mean_curve(entry) for name, entry in runs.items()}
    epochs = range(1, min(map(len, curves.values())) + 1)
    yield _chart("bars", f"Quality on test images, after {len(epochs)} epochs", "nats", figures, values)
    yield _chart("lines", "Quality on validation images (\N{MINUS SIGN}ELBO), by epoch", "nats", epochs, curves)


def _inference(section: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    entries = {name: section["frameworks"][name] for name in _names(section["frameworks"])}
    sizes = section["settings"]["batch_sizes"]
    warm = {
        name: [
            median(
                timing["median_seconds"] * 1e3
                for process in entry["processes"]
                for timing in process["batches"][str(size)]["rounds"]
            )
            for size in sizes
        ]
        for name, entry in entries.items()
    }
    first = {
        name: [
            median(process["batches"][str(size)]["first_seconds"] * 1e3 for process in entry["processes"])
            for size in sizes
        ]
        for name, entry in entries.items()
    }
    starts = {
        name: [median(start[f"{part}_seconds"] for start in entry["starts"]) for part in START]
        for name, entry in entries.items()
    }
    yield _chart("lines", "Inference by batch size: warmed up", "ms", sizes, warm)
    yield _chart("lines", "Inference by batch size: first call", "ms", sizes, first)
    yield _chart("bars", "Start-up time", "s", START.values(), starts)


def _code(section: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    files = section["files"]
    values = {
        name: [file["frameworks"][name]["tokens"] for file in files.values()] for name in _names(section["frameworks"])
    }
    yield _chart("bars", "Code size per file", "tokens", files, values)


def _names(frameworks: Iterable[str]) -> list[str]:
    return [name for name in FRAMEWORKS if name in frameworks]


def write(source: Path, target: Path) -> None:
    """Write the summary of a comparison."""
    summary = summarise(json.loads(source.read_text(encoding="utf-8")))
    target.write_text(json.dumps(summary, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(SOURCE, TARGET)
