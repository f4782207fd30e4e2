"""Trains each framework from the initial weights of each, and saves the test metrics."""

import tempfile
from dataclasses import asdict
from pathlib import Path

from training.comparison import worker_process
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.results_file import ResultsFile


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Train each framework, and save its results; they aren't timed.

    With a framework that the section lacks, those that it has are trained again, from the new one's weights too.
    """
    compared = results.compared_frameworks("cross", config.frameworks)
    sizes = config.sizes
    size_settings = {name: asdict(sizes)[name] for name in ("images", "test_images", "draws")}
    settings = {"preset": config.preset, "epochs": config.epochs, "device": config.device} | size_settings
    frameworks = results.section("cross", settings | {"weights_of": compared}).setdefault("frameworks", {})
    kept = set(frameworks) - (set() if config.resume else set(config.frameworks))
    missing = [framework for framework in compared if framework not in kept]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as folder:
        weights = {framework: str(Path(folder) / f"{framework}.npz") for framework in compared}
        for framework, path in weights.items():
            config.announce(f"cross: initial weights of {framework}")
            worker_process.measure("initial_weights", framework, preset=config.preset, device=config.device, out=path)
        for framework in missing:
            config.announce(
                f"cross: {framework} from the initial weights of {', '.join(weights)}, and from its own nudged"
            )
            measurement = worker_process.measure("cross", framework, weights=weights, **settings)
            frameworks[framework] = {"measured": describe_origin(), **measurement}
            results.save()
