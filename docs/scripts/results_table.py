"""Print the README's table of results, from the metadata of the committed checkpoints.

python docs/scripts/results_table.py
"""

from pathlib import Path

from training.checkpoint import load_checkpoint
from training.frameworks import FRAMEWORKS

ROOT = Path(__file__).parents[2]


def table() -> str:
    """Return the table in Markdown, with the machine in its last line."""
    lines = [
        "| framework | version | epochs | seconds | test -ELBO (nats) | -log-likelihood | KL |",
        "|---|---|---|---|---|---|---|",
    ]
    machines = set()
    for framework in FRAMEWORKS:
        checkpoint = load_checkpoint(ROOT / "checkpoints" / framework / "model.safetensors")
        metrics = checkpoint.metrics
        machines.add(checkpoint.training["machine"])
        lines.append(
            f"| {framework} | {checkpoint.framework_version} | {checkpoint.training['epochs']} "
            f"| {metrics['seconds']:.0f} "
            f"| {-metrics['test_elbo']:.2f} ± {metrics['test_elbo_standard_error']:.2f} "
            f"| {-metrics['test_log_likelihood']:.2f} | {metrics['test_kl_divergence']:.2f} |"
        )
    return "\n".join([*lines, "", f"Trained on {' and '.join(sorted(machines))}."])


if __name__ == "__main__":
    print(table())
