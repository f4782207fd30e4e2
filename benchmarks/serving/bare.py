"""One framework alone, without a service: how long its adapter's `reconstruct` takes, called in a loop.

Run as `python -m benchmarks.serving.bare FRAMEWORK COUNT`; for each line of standard input, a number of seconds, it
calls for so long and prints a JSON list of the seconds of each call.
"""

import json
import sys
import time

import numpy as np

from app.inference.loader import load_model
from app.settings import CHECKPOINTS
from benchmarks.serving.cases import digits


def main() -> None:
    """Serve standard input until it ends."""
    _, adapter = load_model(sys.argv[1], checkpoints=CHECKPOINTS, device="cpu")
    images = digits(int(sys.argv[2]))
    eps = np.zeros((len(images), adapter.model.latent_dim), np.float32)
    adapter.reconstruct(images, eps)  # compiles
    print("ready", flush=True)
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        taken = []
        while (start := time.perf_counter()) < end:
            adapter.reconstruct(images, eps)
            taken.append(time.perf_counter() - start)
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
