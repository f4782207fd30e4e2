"""`python -m training train` on a data set with one test image, over which no standard error can be estimated."""

import numpy as np

from tests.support.cli import SMALL, run
from tests.support.images.idx_files import write_idx
from tests.support.models.event_reader import read
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.summary import describe_test_elbo


def test_one_test_image_has_no_standard_error(folder):
    """The line, the checkpoint, TensorBoard and the model card have the test ELBO alone, where 0 would be wrong."""
    write_idx(
        folder / "images/t10k-images-idx3-ubyte", np.random.default_rng(1).integers(0, 256, (1, 28, 28), np.uint8)
    )

    done = run("train", "--framework", "pytorch", "--epochs", "1", "--quiet", *SMALL, folder=folder)

    assert done.returncode == 0, done.stderr
    assert "+-" not in done.stdout
    assert "1 image, target fixed" in done.stdout
    run_folder = folder / "runs/pytorch"
    checkpoint = load_checkpoint(run_folder / "model.safetensors")
    elbo = checkpoint.metrics["test_elbo"]
    assert checkpoint.metrics["test_elbo_standard_error"] is None
    assert done.stdout.startswith(f"test -ELBO {-elbo:.2f} nats (")
    assert describe_test_elbo(checkpoint) == f"{elbo:.2f} nats (target fixed)"
    tags = read(run_folder).Tags()["scalars"]
    assert "result/test_elbo" in tags
    assert "result/test_elbo_standard_error" not in tags
    card = (run_folder / "README.md").read_text()
    assert f"| Test ELBO | {elbo:.2f} nats (target fixed), 1 test image, 10 draws of noise |" in card
