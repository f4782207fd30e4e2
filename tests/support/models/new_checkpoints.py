"""Checkpoints to promote, which differ in their seed and test ELBO."""

from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint
from training.checkpoints.promotion import promote

METRICS = {"test_elbo": -100.0, "test_elbo_standard_error": 0.25, "test_target": "fixed", "test_images": 50}


def make_content(tmp_path, seed=0, elbo=-100.0, **changes):
    """Return a checkpoint's bytes, with the weights of a seed and a test ELBO."""
    training = {"dataset": "images:/home/ada/cats", "epochs": 3, "command": "python -m training train"}
    fields = {"weights": make_weights(seed=seed), "metrics": METRICS | {"test_elbo": elbo}, "training": training}
    path = tmp_path / f"new-{seed}.safetensors"
    save_checkpoint(path, make_checkpoint(**(fields | changes)))
    return path.read_bytes()


def promote_seed(model, tmp_path, seed, elbo=-100.0, **options):
    """Promote a checkpoint with the weights of a seed, and return its content."""
    content = make_content(tmp_path, seed, elbo)
    promote(content, model, source=tmp_path / "new.safetensors", **options)
    return content
