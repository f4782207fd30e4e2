"""Start-up time in a fresh process: importing a framework, loading a checkpoint, one call."""

import sys
import time
from pathlib import Path
from typing import Any

from training.frameworks import import_backend


def run(framework: str, *, checkpoint: str, device: str) -> dict[str, Any]:
    """Return the seconds of each phase since Python started; the imports are those of the framework."""
    began: float = sys.modules["__main__"]._BEGAN  # noqa: SLF001 - the clock started at the top of the worker
    import numpy as np  # noqa: PLC0415 - the import is what is measured

    from training.checkpoints.checkpoint import load_checkpoint  # noqa: PLC0415 - likewise

    shared = time.perf_counter()
    module = import_backend(framework)
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
