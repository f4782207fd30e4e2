r"""Print the README's table of results, from the metadata of the committed checkpoints and the evaluations of each.

    python docs/scripts/results_table.py

An evaluation is what this prints, for each framework:

    python -m training evaluate --checkpoint checkpoints/jax/model.safetensors --framework jax --json \
        > docs/evaluation/jax.json
"""

import json
from pathlib import Path
from typing import Any

from training.checkpoint import Checkpoint, load_checkpoint
from training.frameworks import FRAMEWORKS
from training.loop import EVALUATION_TARGET

ROOT = Path(__file__).parents[2]


def table() -> str:
    """Return the table in Markdown, with the machine in its last line; of several, whose is which."""
    lines = [
        (
            "| framework | version | epochs | seconds | test -ELBO (nats) | -log-likelihood | KL "
            "| importance-weighted -log p(x) |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    machines: dict[str, list[str]] = {}
    samples = set()
    for framework in FRAMEWORKS:
        checkpoint = load_checkpoint(ROOT / "checkpoints" / framework / "model.safetensors")
        metrics = checkpoint.metrics
        evaluation = read_evaluation(framework, checkpoint)
        machines.setdefault(checkpoint.training["machine"], []).append(framework)
        samples.add(evaluation["samples"])
        lines.append(
            f"| {framework} | {checkpoint.framework_version} | {checkpoint.training['epochs']} "
            f"| {metrics['seconds']:.0f} "
            f"| {-metrics['test_elbo']:.2f} ± {metrics['test_elbo_standard_error']:.2f} "
            f"| {-metrics['test_log_likelihood']:.2f} | {metrics['test_kl_divergence']:.2f} "
            f"| {-evaluation['iwae']['value']:.2f} ± {evaluation['iwae']['standard_error']:.2f} |"
        )
    draws = " and ".join(map(str, sorted(samples)))
    trained = " and ".join(
        f"{machine} ({', '.join(names)})" if len(machines) > 1 else machine for machine, names in machines.items()
    )
    return "\n".join([*lines, "", f"Trained on {trained}; -log p(x) by {draws} samples an image."])


def read_evaluation(framework: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the figures in `docs/evaluation`, which must be those of this very file, computed by its framework."""
    path = ROOT / "docs" / "evaluation" / f"{framework}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    expected = {"sha256": checkpoint.sha256, "framework": framework, "part": "test", "target": EVALUATION_TARGET}
    if not expected.items() <= found.items():
        raise SystemExit(f"{path}: expected the evaluation of {expected}; measure the checkpoint anew")
    return found


if __name__ == "__main__":
    print(table())
