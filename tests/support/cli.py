"""`python -m training` as a separate process: run to its end, or followed and sent signals."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.support.images.idx_files import write_idx

SMALL = (
    *("--dataset", "idx:images", "--batch-size", "100"),
    *("--hidden-dim", "8", "--latent-dim", "2", "--no-figures"),
)
"""Options of a model that trains in an instant, on the images that `write_images` leaves in the folder."""


def write_images(folder: Path, count: int = 600) -> None:
    """Write random images of the size of MNIST's, with labels, as the data set `idx:images` of this folder."""
    (folder / "images").mkdir()
    random = np.random.default_rng(0)
    write_idx(folder / "images/train-images-idx3-ubyte", random.integers(0, 256, (count, 28, 28), np.uint8))
    write_idx(folder / "images/train-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))


def start(*arguments: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m training` in a folder, with the checkout on the path and these environment variables."""
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str, folder: Path, timeout: float = 240, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m training` to its end."""
    process = start(*arguments, folder=folder, **variables)
    try:
        output, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Return the first line that has the text; fail if there is none."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never printed: {process.communicate()[1]}")
