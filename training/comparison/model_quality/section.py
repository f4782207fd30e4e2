"""Measures model quality: training runs of each framework with several seeds."""

from dataclasses import asdict

from training.comparison import worker_process
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.results_file import ResultsFile


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Train each framework with each seed, and save the metrics after each run."""
    sizes = config.sizes
    size_settings = {name: asdict(sizes)[name] for name in ("images", "test_images", "draws", "samples")}
    settings = {"preset": config.preset, "epochs": config.epochs, "device": config.device} | size_settings
    frameworks = results.section("quality", settings).setdefault("frameworks", {})
    for framework in config.frameworks:
        runs = frameworks.setdefault(framework, {"seeds": {}})["seeds"]
        for seed in range(config.seeds):
            if config.resume and str(seed) in runs:
                continue
            config.announce(f"quality: {framework}, seed {seed} (of 0 to {config.seeds - 1})")
            runs[str(seed)] = worker_process.measure("quality", framework, seed=seed, **settings)
            runs[str(seed)]["measured"] = describe_origin()
            results.save()
