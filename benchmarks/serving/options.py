"""Options of a measurement: cores, durations and cases."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.serving.processes import Cores

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one run."""

    cores: Cores
    rounds: int
    """Number of measurements per case; the median is reported."""

    seconds: int
    """Duration of each measurement of a case."""

    minutes: float
    """Duration of the memory measurement."""

    bound_ms: float
    """Goal for the 99th percentile of accepted requests at overload: the service's own setting."""

    only: str
    """Pattern of case names, with wildcards as in file names."""

    server_args: tuple[str, ...]
    """Further options of `python -m app`."""

    earlier: str | None = None
    """Folder of an earlier commit's checkout, to measure beside this one."""

    pytriton: str | None = None
    """Python of an environment with nvidia-pytriton, to measure Triton too."""

    def wants(self, name: str) -> bool:
        """Return whether the case is selected."""
        return fnmatch.fnmatch(name.lower(), f"*{self.only.lower()}*")

    def choose(self, cases: Sequence[T]) -> list[T]:
        """Return the selected cases.

        Raises:
            SystemExit: No case is selected.
        """
        chosen = [case for case in cases if self.wants(str(case))]
        if not chosen:
            raise SystemExit(f"no case has {self.only!r} in its name: there are {', '.join(map(str, cases))}")
        return chosen
