"""What the training section's processes come to: seconds of an epoch, of compiling, of a run. No words, no plots."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

OWN_WAY: Final = {"jax": "compiled", "tensorflow": "compiled", "pytorch": "eager"}
"""In which mode a framework's trainer runs by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One framework in one mode, over all its processes."""

    epoch_seconds: Sequence[float]
    """Of every timed epoch; where a part of one was timed, in proportion."""

    first_seconds: Sequence[float]
    """Of the first epoch, or part of one, of each process."""

    compile_seconds: Sequence[float]
    """By how much it took longer than the median of the later ones of its process."""

    part: float
    """Which part of an epoch was timed, 1 for all."""

    images: int
    """Images of an epoch."""

    cores: Sequence[float]
    """Cores in use, of every timed epoch."""

    peak_bytes: Sequence[int]
    """Largest resident memory of each process."""

    loaded_bytes: Sequence[int]
    """The same before the first step."""

    threads: int
    """Threads that an operation may use."""

    def run_seconds(self, epochs: float) -> float:
        """Return what so many epochs take, compiling included; nothing but steps."""
        return statistics.median(self.compile_seconds) + epochs * statistics.median(self.epoch_seconds)


def speed_of(processes: Sequence[Mapping[str, Any]]) -> Speed | None:
    """Return the figures of a framework and mode; None where it couldn't be run."""
    if any("unavailable" in found for found in processes):
        return None
    first = processes[0]
    scale = first["steps_per_epoch"] / first["steps"]
    return Speed(
        epoch_seconds=[seconds * scale for found in processes for seconds in found["seconds"]],
        first_seconds=[found["first_seconds"] for found in processes],
        compile_seconds=[max(found["first_seconds"] - statistics.median(found["seconds"]), 0.0) for found in processes],
        part=1 / scale,
        images=first["steps_per_epoch"] * first["batch_size"],
        cores=[cores for found in processes for cores in found["cores"]],
        peak_bytes=[found["peak_bytes"] for found in processes],
        loaded_bytes=[found["loaded_bytes"] for found in processes],
        threads=first["threads"],
    )


def own_speed(content: Mapping[str, Any], framework: str) -> Speed | None:
    """Return a framework's figures as its trainer runs by itself; None where they weren't measured."""
    found = content["sections"].get("training", {}).get("frameworks", {}).get(framework)
    return speed_of(found["modes"][OWN_WAY[framework]]) if found else None
