"""What a measurement is told: cores, lengths, and which cases."""

import fnmatch
from dataclasses import dataclass

from benchmarks.serving.processes import Cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The choices of one run."""

    cores: Cores
    rounds: int
    """How often each case is measured; the figure is the median."""

    seconds: float
    """How long each case is measured, each time."""

    minutes: float
    """How long the memory is watched."""

    bound_ms: float
    """What the slowest hundredth of accepted requests must stay below at overload: the service's own setting."""

    only: str
    """A pattern, as of file names, for the names of cases."""

    server_args: tuple[str, ...]
    """Further options of `python -m app`."""

    def wants(self, name: str) -> bool:
        """Tell whether the case is to be measured."""
        return fnmatch.fnmatch(name.lower(), f"*{self.only.lower()}*")
