"""CPU time, memory and open files of all worker processes together, under Prometheus's usual `process_` names."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

# prometheus_client's file of the gauges of a living process; the supervisor deletes it when the process has ended.
_LIVING: Final = re.compile(r"gauge_livesum_(\d+)\.db")

_EARLIEST: Final = "process_start_time_seconds"

_CPU: Final = "process_cpu_seconds"


class WorkersCollector(Collector):
    """Sums of the process metrics of the workers that count in a folder; their start time is the earliest.

    CPU time is also that of the workers that have ended, as a counter never falls.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, each with one sample."""
        total: dict[str, Metric] = {}
        for pid in sorted(self._living_pids()):
            for metric in _collect_process(pid):
                known = total.setdefault(metric.name, metric)
                if known is not metric:
                    combine = min if metric.name == _EARLIEST else sum
                    value = combine((known.samples[0].value, metric.samples[0].value))
                    known.samples = [known.samples[0]._replace(value=value)]
        if (cpu := total.get(_CPU)) is not None:
            cpu.samples = [cpu.samples[0]._replace(value=cpu.samples[0].value + _ended_cpu_seconds())]
        return total.values()

    def _living_pids(self) -> set[int]:
        return {int(match[1]) for path in self._folder.iterdir() if (match := _LIVING.fullmatch(path.name))}


def _ended_cpu_seconds() -> float:
    """Return the CPU time of the workers that have ended: of their parent's children that it has waited for."""
    fields = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()
    # cutime and cstime, fields 16 and 17 (man 5 proc); the first here is the third.
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def _collect_process(pid: int) -> list[Metric]:
    # Registered with a registry that nobody reads: without one it would count in the default registry.
    return list(ProcessCollector(pid=lambda: pid, registry=CollectorRegistry()).collect())
