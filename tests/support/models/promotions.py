"""Files of promotions: checkpoints with figures, and the companion and snapshots that belong to them."""

import json

from tests.support.app import MODEL, checkpoint_path, save_checkpoints, save_snapshots
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint
from training.checkpoints.companion_file import FORMAT
from training.checkpoints.model_files import locate

KEY = {"X-API-Key": "k3y"}


def make_content(path, seed, elbo, model=MODEL):
    """Return a checkpoint's bytes and ID."""
    metrics = {"test_elbo": elbo, "test_elbo_standard_error": 0.2, "test_target": "fixed"}
    checkpoint = make_checkpoint(model, make_weights(model, seed), metrics=metrics, training={"dataset": "mnist"})
    saved = save_checkpoint(path, checkpoint)
    return path.read_bytes(), saved.id


def save_served(folder):
    """Write checkpoints, of which JAX's has a figure; return their folder."""
    save_checkpoints(folder)
    make_content(checkpoint_path(folder, "jax"), 0, -100.0)
    return folder


def companion_of(checkpoint_id):
    """Return the content of a companion file."""
    return json.dumps({"format": FORMAT, "checkpoint": checkpoint_id}).encode()


def snapshots_of(path, *, cut=0):
    """Return the content of a snapshots file of a checkpoint's run, without its last bytes."""
    model = locate(path)
    save_snapshots(model)
    content = model.snapshots.read_bytes()
    return content[: len(content) - cut]
