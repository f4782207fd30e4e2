"""Measures inference: start-up time, latency and disk usage of each framework, after the parity check."""

from typing import Any, Final

from training.comparison import worker_process
from training.comparison.agreement.section import check_parity
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.inference_speed.disk_usage import package_bytes
from training.comparison.results_file import ResultsFile

COMPILERS: Final = {"tensorflow": "XLA", "pytorch": "torch.compile"}
"""Frameworks whose own way of inference isn't compiled, and what compiles it in a further row."""


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Measure each framework with its own checkpoint, and save the results.

    Raises:
        ParityError: The frameworks don't compute the same.
    """
    sizes = config.sizes
    settings = {
        "batch_sizes": sizes.batch_sizes,
        "processes": sizes.processes,
        "rounds": sizes.rounds,
        "round_seconds": sizes.round_seconds,
        "extra_modes": sizes.extra_modes,
        "device": config.device,
    }
    frameworks = results.section("inference", settings).setdefault("frameworks", {})
    missing = [framework for framework in config.frameworks if not (config.resume and framework in frameworks)]
    parity = check_parity(config) if missing else {}
    for framework in missing:
        path = config.checkpoint(framework)
        starts, processes, compiled = [], [], []
        for number in range(1, sizes.processes + 1):
            config.announce(f"inference: {framework}, process {number} of {sizes.processes}")
            options: dict[str, Any] = {"checkpoint": str(path), "device": config.device}
            starts.append(worker_process.measure("startup", framework, **options))
            options |= {"batch_sizes": sizes.batch_sizes, "rounds": sizes.rounds, "round_seconds": sizes.round_seconds}
            processes.append(worker_process.measure("inference", framework, compiled=False, **options))
            if sizes.extra_modes and framework in COMPILERS:
                compiled.append(worker_process.measure("inference", framework, compiled=True, **options))
        frameworks[framework] = {
            "measured": describe_origin(),
            "parity": parity,
            "starts": starts,
            "processes": processes,
            "compiled": compiled,
            "disk": {"packages": package_bytes(framework), "checkpoint": path.stat().st_size},
        }
        results.save()
