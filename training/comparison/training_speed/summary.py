"""Statistics of the training section: seconds of an epoch, of compiling, of a run. Renders nothing."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.frameworks import FRAMEWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One framework in one mode, over all its processes."""

    epoch_seconds: Sequence[float]
    """Seconds of every timed epoch, extrapolated if only a part was timed."""

    first_seconds: Sequence[float]
    """Seconds of the first epoch, or part of one, of each process."""

    compile_seconds: Sequence[float]
    """Seconds by which the first epoch exceeded the median of the later ones in its process."""

    part: float
    """Fraction of an epoch that was timed; 1 for a whole epoch."""

    images: int
    """Images per epoch."""

    cores: Sequence[float]
    """Average number of cores in use during every timed epoch."""

    peak_bytes: Sequence[int]
    """Largest resident memory of each process."""

    loaded_bytes: Sequence[int]
    """The same before the first step."""

    threads: int
    """Maximum number of threads per operation."""

    def run_seconds(self, epochs: float) -> float:
        """Return the seconds of a number of epochs, including compilation but not evaluation."""
        return statistics.median(self.compile_seconds) + epochs * statistics.median(self.epoch_seconds)


def speed_of(processes: Sequence[Mapping[str, Any]]) -> Speed | None:
    """Return the timings of a framework and mode, or None if it couldn't be run."""
    if any("unavailable" in process for process in processes):
        return None
    first = processes[0]
    scale = first["steps_per_epoch"] / first["steps"]
    return Speed(
        epoch_seconds=[seconds * scale for process in processes for seconds in process["seconds"]],
        first_seconds=[process["first_seconds"] for process in processes],
        compile_seconds=[
            max(process["first_seconds"] - statistics.median(process["seconds"]), 0.0) for process in processes
        ],
        part=1 / scale,
        images=first["steps_per_epoch"] * first["batch_size"],
        cores=[cores for process in processes for cores in process["cores"]],
        peak_bytes=[process["peak_bytes"] for process in processes],
        loaded_bytes=[process["loaded_bytes"] for process in processes],
        threads=first["threads"],
    )


def own_speed(content: Mapping[str, Any], framework: str) -> Speed | None:
    """Return the timings of a framework in its trainer's default mode, or None if they weren't measured."""
    entry = content["sections"].get("training", {}).get("frameworks", {}).get(framework)
    return speed_of(entry["modes"][FRAMEWORKS[framework].own_mode]) if entry else None
