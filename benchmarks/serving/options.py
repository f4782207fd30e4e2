"""What a measurement is told: cores, lengths, and which cases."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.serving.processes import Cores

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The choices of one run."""

    cores: Cores
    rounds: int
    """How often each case is measured; the figure is the median."""

    seconds: int
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

    def choose(self, cases: Sequence[T]) -> list[T]:
        """Return those of the cases that are to be measured.

        Raises:
            SystemExit: None is.
        """
        chosen = [case for case in cases if self.wants(str(case))]
        if not chosen:
            raise SystemExit(f"no case has {self.only!r} in its name: there are {', '.join(map(str, cases))}")
        return chosen
