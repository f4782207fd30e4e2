"""From nothing to the first image: importing a framework, loading a checkpoint, one call. In a fresh process."""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def run(framework: str, *, checkpoint: str, device: str) -> dict[str, Any]:
    """Return seconds since the process began to run Python code, of each part; the imports are the framework's own."""
    began: float = sys.modules["__main__"]._BEGAN  # noqa: SLF001 - the clock that the process started first of all
    import numpy as np  # noqa: PLC0415 - what is imported is what is measured

    from training.checkpoint import load_checkpoint  # noqa: PLC0415 - likewise

    shared = time.perf_counter()
    module = import_module(f"training.{framework}_vae.inference")
    imported = time.perf_counter()
    loaded = load_checkpoint(Path(checkpoint))
    model = module.Inference(loaded.model, loaded.weights, device=device)
    ready = time.perf_counter()
    model.reconstruct(
        np.zeros((1, loaded.model.image_dim), np.float32), np.zeros((1, loaded.model.latent_dim), np.float32)
    )
    answered = time.perf_counter()
    return {
        "import_seconds": imported - shared,
        "load_seconds": ready - imported,
        "first_call_seconds": answered - ready,
        "total_seconds": answered - began,
    }
