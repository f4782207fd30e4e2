"""Measures training speed: processes of each framework in each mode, after the parity check."""

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any, Final

from training.comparison import worker_process
from training.comparison.agreement.section import check_parity
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.results_file import ResultsFile
from training.frameworks import FRAMEWORKS

MODES: Final = ("compiled", "eager")
"""The modes of all frameworks."""

WARM: Final = "compiled, warm cache"
"""As compiled, with the compiled code of an earlier process."""

EXTRA_MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "jax": (WARM,),
    "pytorch": (WARM, "compiled, max-autotune"),
}
"""Further modes of a framework. TensorFlow keeps no compiled code of a `tf.function` on disk."""


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Time each framework in its modes, one process at a time, and save each framework's results.

    Raises:
        ParityError: The frameworks don't compute the same.
    """
    sizes = config.sizes
    settings = {
        "preset": config.preset,
        "images": sizes.images,
        "processes": sizes.processes,
        "rounds": sizes.rounds,
        "eager_steps": sizes.eager_steps,
        "extra_modes": sizes.extra_modes,
        "batch_sizes": sizes.train_batch_sizes,
        "device": config.device,
    }
    frameworks = results.section("training", settings).setdefault("frameworks", {})
    missing = [framework for framework in config.frameworks if not (config.resume and framework in frameworks)]
    parity = check_parity(config) if missing else {}
    for framework in missing:
        extra = EXTRA_MODES.get(framework, ()) if sizes.extra_modes else ()
        modes: dict[str, list[dict[str, Any]]] = {mode: [] for mode in (*MODES, *extra)}
        with TemporaryDirectory() as cache:
            if WARM in modes:
                config.announce(f"training: {framework}, filling the cache")
                _run(config, framework, WARM, steps=None, cache=cache)
            for number in range(1, sizes.processes + 1):
                for mode, processes in modes.items():
                    config.announce(f"training: {framework}, {mode}, process {number} of {sizes.processes}")
                    steps = sizes.eager_steps if mode == "eager" else None
                    mode_cache = cache if mode == WARM else None
                    processes.append(_run(config, framework, mode, steps=steps, cache=mode_cache))
        batches = {}
        for size in sizes.train_batch_sizes:
            config.announce(f"training: {framework}, batches of {size}")
            batches[str(size)] = _run(config, framework, FRAMEWORKS[framework].own_mode, steps=None, batch_size=size)
        frameworks[framework] = {"measured": describe_origin(), "parity": parity, "modes": modes, "batches": batches}
        results.save()


def _run(config: ComparisonConfig, framework: str, mode: str, **options: Any) -> dict[str, Any]:
    return worker_process.measure(
        "training",
        framework,
        mode=mode,
        preset=config.preset,
        device=config.device,
        images=config.sizes.images,
        rounds=config.sizes.rounds,
        **{"batch_size": None, "cache": None} | options,
    )
