"""Do the three compute the same? Layers, losses and logits side by side; and the condition of every timing."""

import tempfile
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy import ndarray

from training import numpy_model
from training.checkpoint import LAYERS, load_checkpoint
from training.comparison import child
from training.comparison.plan import Plan
from training.comparison.provenance import describe_origin
from training.comparison.record import Record
from training.comparison.tasks.agreement import draw_eps
from training.data import TEST_SEED, binarize, load_dataset
from training.errors import ParityError

LOSS_LIMIT: Final = 5e-5
"""Largest relative difference of any loss of the first `PARITY_STEPS` between two frameworks.

Rounding comes to a tenth of it; Keras's own Adam, whose epsilon stands elsewhere, to 1e-4.
"""

LOGITS_LIMIT: Final = 1e-3
"""Largest difference of a logit of a trained model from the same computed in float64."""

PARITY_STEPS: Final = 25

OUTPUTS: Final = (*LAYERS[:3], "z", *LAYERS[3:])
"""What is compared of a model, in the order of the forward pass."""

Arrays = Mapping[str, ndarray]
"""What one framework's process wrote, by the names of `tasks.agreement`."""


def measure(plan: Plan, record: Record) -> None:
    """Hold all that is asked for beside each other, and keep it; figures beyond the limits are kept too."""
    settings = {"steps": plan.sizes.steps, "probe_images": plan.sizes.probe_images, "device": plan.device}
    section = record.section("agreement", settings)
    if plan.resume and "losses" in section:
        return
    found = _run(plan, plan.frameworks, plan.sizes.steps)
    section |= {
        "measured": describe_origin(),
        "limits": {"loss": LOSS_LIMIT, "logits": LOGITS_LIMIT, "steps": PARITY_STEPS},
        "frameworks": list(found),
        **compare(found, plan),
    }
    record.content["sections"]["agreement"] = section
    record.save()


@cache
def check_parity(plan: Plan) -> dict[str, Any]:
    """Return the differences of all that is installed, over the first steps and on each checkpoint; once a command.

    Raises:
        ParityError: They are beyond the limits: to compare speeds would mean nothing.
    """
    steps = tuple(step for step in plan.sizes.steps if step <= PARITY_STEPS)
    found = compare(_run(plan, plan.installed, steps), plan)
    worst = {
        "loss": max((max(pair["relative"][:PARITY_STEPS]) for pair in found["losses"]["pairs"]), default=0.0),
        "logits": max(value for row in found["logits"].values() for value in row.values()),
    }
    for figure, limit in (("loss", LOSS_LIMIT), ("logits", LOGITS_LIMIT)):
        if not worst[figure] <= limit:
            raise ParityError(
                f"nothing was timed: the frameworks' {figure} differ by {worst[figure]:.1e}, expected at most {limit}; "
                "see which with --sections agreement, and mend it first"
            )
    return {**worst, "frameworks": list(plan.installed), "steps": max(steps)}


def compare(found: Mapping[str, Arrays], plan: Plan) -> dict[str, Any]:
    """Return the differences of every pair of frameworks, and of every loader of a checkpoint from float64."""
    pairs = list(combinations(found, 2))
    steps = sorted({int(name.partition("/")[0]) for name in next(iter(found.values())) if name[0].isdigit()})
    return {
        "losses": {
            "values": {framework: arrays["losses"].tolist() for framework, arrays in found.items()},
            "pairs": [
                {"of": pair, "relative": _relative(found[pair[0]]["losses"], found[pair[1]]["losses"])}
                for pair in pairs
            ],
            "nudged": {
                framework: _relative(arrays["losses"], arrays["nudged_losses"]) for framework, arrays in found.items()
            },
        },
        "layers": [
            {
                "layer": layer,
                "steps": step,
                "largest_value": max(float(np.abs(arrays[f"{step}/{layer}"]).max()) for arrays in found.values()),
                "differences": {
                    "-".join(pair): _largest(*(found[one][f"{step}/{layer}"] for one in pair)) for pair in pairs
                },
            }
            for step in steps
            for layer in OUTPUTS
        ],
        "logits": _logits(found, plan),
    }


def _logits(found: Mapping[str, Arrays], plan: Plan) -> dict[str, dict[str, float]]:
    """Return, of each checkpoint's weights, how far the logits of each framework that loads them are from float64."""
    probe = binarize(load_dataset("mnist").test[: plan.sizes.probe_images], target="fixed", seed=TEST_SEED)
    table = {}
    for trained in found:
        loaded = load_checkpoint(plan.checkpoint(trained))
        weights: Any = {name: array.astype(np.float64) for name, array in loaded.weights.items()}
        mean, logvar = numpy_model.encode(weights, probe.astype(np.float64))
        z = mean + draw_eps(len(probe), loaded.model.latent_dim) * np.exp(logvar / 2)
        exact = numpy_model.decode(weights, z)
        table[trained] = {loader: _largest(arrays[f"logits/{trained}"], exact) for loader, arrays in found.items()}
    return table


@cache  # the section and the condition of timings may ask for the same
def _run(plan: Plan, frameworks: tuple[str, ...], steps: tuple[int, ...]) -> Mapping[str, Arrays]:
    checkpoints = {framework: str(plan.checkpoint(framework)) for framework in frameworks}
    found: dict[str, Arrays] = {}
    with tempfile.TemporaryDirectory() as folder:
        for framework in frameworks:
            plan.tell(f"agreement: {framework}, {max(steps)} steps")
            out = Path(folder) / f"{framework}.npz"
            child.measure(
                "agreement",
                framework,
                steps=list(steps),
                probe_images=plan.sizes.probe_images,
                checkpoints=checkpoints,
                device=plan.device,
                out=str(out),
            )
            with np.load(out) as arrays:
                found[framework] = dict(arrays)
    return found


def _relative(one: ndarray, other: ndarray) -> list[float]:
    differences: list[float] = (np.abs(one - other) / np.abs(one)).tolist()
    return differences


def _largest(one: ndarray, other: ndarray) -> float:
    return float(np.abs(one - other).max())
