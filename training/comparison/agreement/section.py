"""Numerical agreement of layers, losses and logits, and the parity check before every timing."""

import tempfile
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy import ndarray

from training import numpy_model
from training.checkpoints.checkpoint import LAYERS, load_checkpoint
from training.comparison import worker_process
from training.comparison.agreement.worker import draw_eps
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.results_file import ResultsFile
from training.counts import count_of
from training.data import TEST_SEED, binarize, load_dataset
from training.errors import ParityError

LOSS_LIMIT: Final = 1e-5
"""Largest relative difference of any loss of the first `PARITY_STEPS` between two frameworks, as in the tests.

Rounding reaches about half of it; Keras's own Adam, whose epsilon stands elsewhere, 2.4e-5.
"""

LOGITS_LIMIT: Final = 1e-3
"""Largest difference of a logit of a trained model from the same computed in float64."""

PARITY_STEPS: Final = 25

OUTPUTS: Final = (*LAYERS[:3], "z", *LAYERS[3:])
"""Compared outputs of a model, in the order of the forward pass."""

NamedArrays = Mapping[str, ndarray]
"""NamedArrays written by one framework's process, by the names of `agreement.worker`."""


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Compare the frameworks and save the differences, including those beyond the limits.

    Frameworks that the section has already are compared again, together with the requested ones.
    """
    frameworks = results.compared_frameworks("agreement", config.frameworks)
    settings = {"steps": config.sizes.steps, "probe_images": config.sizes.probe_images, "device": config.device}
    section = results.section("agreement", settings)
    if config.resume and section.get("frameworks") == list(frameworks):
        return
    runs = _run(config, frameworks, config.sizes.steps)
    section |= {
        "measured": describe_origin(),
        "limits": {"loss": LOSS_LIMIT, "logits": LOGITS_LIMIT, "steps": PARITY_STEPS},
        "frameworks": list(runs),
        **compare(runs, config),
    }
    results.content["sections"]["agreement"] = section
    results.save()


@cache
def check_parity(config: ComparisonConfig) -> dict[str, Any]:
    """Return the differences between all installed frameworks, over the first steps and on each checkpoint; cached.

    Raises:
        ParityError: They are beyond the limits, which makes timings meaningless.
    """
    steps = tuple(step for step in config.sizes.steps if step <= PARITY_STEPS)
    differences = compare(_run(config, config.installed, steps), config)
    worst = {
        "loss": max((max(pair["relative"][:PARITY_STEPS]) for pair in differences["losses"]["pairs"]), default=0.0),
        "logits": max(value for row in differences["logits"].values() for value in row.values()),
    }
    for figure, limit in (("loss", LOSS_LIMIT), ("logits", LOGITS_LIMIT)):
        if not worst[figure] <= limit:
            raise ParityError(
                f"nothing was timed: the frameworks' {figure} differ by {worst[figure]:.1e}, expected at most {limit}; "
                "see which with --sections agreement, and mend it first"
            )
    return {**worst, "frameworks": list(config.installed), "steps": max(steps)}


def compare(runs: Mapping[str, NamedArrays], config: ComparisonConfig) -> dict[str, Any]:
    """Return the differences of every pair of frameworks, and of every loader of a checkpoint from float64."""
    pairs = list(combinations(runs, 2))
    steps = sorted({int(name.partition("/")[0]) for name in next(iter(runs.values())) if name[0].isdigit()})
    return {
        "losses": {
            "values": {framework: arrays["losses"].tolist() for framework, arrays in runs.items()},
            "pairs": [
                {"of": pair, "relative": _relative(runs[pair[0]]["losses"], runs[pair[1]]["losses"])} for pair in pairs
            ],
            "nudged": {
                framework: _relative(arrays["losses"], arrays["nudged_losses"]) for framework, arrays in runs.items()
            },
        },
        "layers": [
            {
                "layer": layer,
                "steps": step,
                "largest_value": max(float(np.abs(arrays[f"{step}/{layer}"]).max()) for arrays in runs.values()),
                "differences": {
                    "-".join(pair): _largest(*(runs[framework][f"{step}/{layer}"] for framework in pair))
                    for pair in pairs
                },
            }
            for step in steps
            for layer in OUTPUTS
        ],
        "logits": _logits(runs, config),
    }


def _logits(runs: Mapping[str, NamedArrays], config: ComparisonConfig) -> dict[str, dict[str, float]]:
    """Return the largest difference of logits from float64, for each checkpoint and each framework that loads it."""
    probe = binarize(load_dataset("mnist").test[: config.sizes.probe_images], target="fixed", seed=TEST_SEED)
    table = {}
    for trained in runs:
        loaded = load_checkpoint(config.checkpoint(trained))
        weights: Any = {name: array.astype(np.float64) for name, array in loaded.weights.items()}
        mean, logvar = numpy_model.encode(weights, probe.astype(np.float64))
        z = mean + draw_eps(len(probe), loaded.model.latent_dim) * np.exp(logvar / 2)
        exact = numpy_model.decode(weights, z)
        table[trained] = {loader: _largest(arrays[f"logits/{trained}"], exact) for loader, arrays in runs.items()}
    return table


@cache  # the section and `check_parity` may need the same run
def _run(config: ComparisonConfig, frameworks: tuple[str, ...], steps: tuple[int, ...]) -> Mapping[str, NamedArrays]:
    checkpoints = {framework: str(config.checkpoint(framework)) for framework in frameworks}
    runs: dict[str, NamedArrays] = {}
    with tempfile.TemporaryDirectory() as folder:
        for framework in frameworks:
            config.announce(f"agreement: {framework}, {count_of(max(steps), 'step')}")
            out = Path(folder) / f"{framework}.npz"
            worker_process.measure(
                "agreement",
                framework,
                steps=list(steps),
                probe_images=config.sizes.probe_images,
                checkpoints=checkpoints,
                device=config.device,
                out=str(out),
            )
            with np.load(out) as arrays:
                runs[framework] = dict(arrays)
    return runs


def _relative(reference: ndarray, other: ndarray) -> list[float]:
    differences: list[float] = (np.abs(reference - other) / np.abs(reference)).tolist()
    return differences


def _largest(first: ndarray, second: ndarray) -> float:
    return float(np.abs(first - second).max())
