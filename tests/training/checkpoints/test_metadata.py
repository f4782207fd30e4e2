"""Values of a checkpoint's metadata that no response or card could show."""

import json

import pytest

from tests.support.checkpoints import join_file, make_checkpoint, split_file
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.errors import CheckpointError


@pytest.fixture
def path(tmp_path):
    """Return the place of a sound checkpoint."""
    save_checkpoint(tmp_path / "model.safetensors", make_checkpoint())
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"test_elbo": "good"}, "test_elbo: expected a finite number, found 'good'"),
        ({"test_elbo": True}, "test_elbo: expected a finite number, found True"),
        ({"test_elbo": float("nan")}, "test_elbo: expected a finite number, found nan"),
        ({"notes": [1]}, r"notes: expected a finite number, a string, a boolean or null, found \[1\]"),
        ({"notes": "\ud800"}, "expected a JSON object"),
    ],
)
def test_load_when_metrics_are_wrong(path, metrics, message):
    """Values that couldn't be compared, shown in a card or sent in JSON are refused, and named."""
    header, data = split_file(path.read_bytes())
    header["__metadata__"]["metrics"] = json.dumps(metrics)
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=f"metadata 'metrics': {message}"):
        load_checkpoint(path)
