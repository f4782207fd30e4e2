r"""Print the README's table of results, from the metadata of the committed checkpoints and the evaluations of each.

    python docs/scripts/results_table.py

Each evaluation is the output of this command, one per framework:

    python -m training evaluate --checkpoint checkpoints/jax/model.safetensors --framework jax \
        --samples 50 --samples 500 --samples 5000 --json > docs/evaluation/jax.json
"""

import json
from pathlib import Path
from typing import Any

from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.engine.run import EVALUATION_TARGET
from training.frameworks import FRAMEWORKS

ROOT = Path(__file__).parents[2]


def table() -> str:
    """Return the table in Markdown, with the training machines in the last line."""
    rows = []
    machines: dict[str, list[str]] = {}
    samples: set[tuple[int, ...]] = set()
    for framework in FRAMEWORKS:
        checkpoint = load_checkpoint(ROOT / "checkpoints" / framework / "model.safetensors")
        metrics = checkpoint.metrics
        evaluation = read_evaluation(framework, checkpoint)
        machines.setdefault(checkpoint.training["machine"], []).append(framework)
        bounds = {bound["samples"]: bound for bound in evaluation["bounds"]}
        samples.add(tuple(bounds))
        rows.append(
            f"| {framework} | {checkpoint.framework_version} | {checkpoint.training['epochs']} "
            f"| {-metrics['test_elbo']:.2f} ± {metrics['test_elbo_standard_error']:.2f} "
            f"| {-metrics['test_log_likelihood']:.2f} | {metrics['test_kl_divergence']:.2f} "
            f"| {' | '.join(map(_bound, bounds.values()))} |"
        )
    (draws,) = samples
    head = (
        "| framework | version | epochs | test -ELBO (nats) | -log-likelihood | KL "
        f"| {' | '.join(f'-L{count} (upper bound of -log p(x))' for count in draws)} |"
    )
    trained = " and ".join(
        f"{machine} ({', '.join(names)})" if len(machines) > 1 else machine for machine, names in machines.items()
    )
    note = (
        f"Trained on {trained}. Lk is the importance-weighted bound with k samples per image; in brackets, the median "
        "effective sample size, far below k: more samples would still tighten the bound."
    )
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows, "", note])


def _bound(bound: dict[str, Any]) -> str:
    iwae = bound["iwae"]
    return f"{-iwae['value']:.2f} ± {iwae['standard_error']:.2f} ({bound['effective_samples']:.0f})"


def read_evaluation(framework: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the metrics in `docs/evaluation`, checked against the checkpoint's SHA-256 and its framework."""
    path = ROOT / "docs" / "evaluation" / f"{framework}.json"
    evaluation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    expected = {"sha256": checkpoint.sha256, "framework": framework, "split": "test", "target": EVALUATION_TARGET}
    if not expected.items() <= evaluation.items():
        raise SystemExit(f"{path}: expected the evaluation of {expected}; evaluate the checkpoint again")
    return evaluation


if __name__ == "__main__":
    print(table())
