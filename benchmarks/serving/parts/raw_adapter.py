"""An adapter's `reconstruct`, timed in a loop without the service.

Run as `python -m benchmarks.serving.parts.raw_adapter FRAMEWORK`; for each line of input, a number of images and one of
seconds, it calls for so long and prints a JSON list of the seconds of each call.
"""

import json
import sys
import time

import numpy as np

from app.inference.models.loader import load_model
from app.settings import CHECKPOINTS
from benchmarks.serving.cases import digits
from training.checkpoints.model_files import ModelFile


def main() -> None:
    """Read requests from standard input until it ends."""
    _, adapter = load_model(sys.argv[1], path=ModelFile(CHECKPOINTS, sys.argv[1]).path, device="cpu")
    print("ready", flush=True)
    for line in sys.stdin:
        count, seconds = line.split()
        images = digits(int(count))
        eps = np.zeros((len(images), adapter.model.latent_dim), np.float32)
        adapter.reconstruct(images, eps)  # compiles
        deadline = time.perf_counter() + float(seconds)
        taken = []
        while (start := time.perf_counter()) < deadline:
            adapter.reconstruct(images, eps)
            taken.append(time.perf_counter() - start)
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
