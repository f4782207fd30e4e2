"""From a framework's name to its adapter: the only place that knows where adapters are. Imports none before asked."""

import importlib
import threading
from pathlib import Path
from typing import Final

from app.inference.adapter import Adapter
from training.checkpoint import Checkpoint, load_checkpoint

ADAPTERS: Final = {
    "jax": "app.inference.jax_adapter:JaxAdapter",
    "tensorflow": "app.inference.tensorflow_adapter:TensorflowAdapter",
    "pytorch": "app.inference.pytorch_adapter:PytorchAdapter",
}

# The frameworks share packages whose modules import each other in circles; two threads that enter such a circle from
# two sides can be handed half a module. Compiling and warming up, which take longer, do run side by side.
_importing = threading.Lock()


def checkpoint_path(checkpoints: Path, framework: str) -> Path:
    """Return where the framework's checkpoint lies in the folder of checkpoints."""
    return checkpoints / framework / "model.safetensors"


def load_model(framework: str, *, checkpoints: Path, device: str) -> tuple[Checkpoint, Adapter]:
    """Load a framework's checkpoint and its adapter, compiled and warm; takes seconds.

    Raises:
        CheckpointError: Its checkpoint can't be read.
        DeviceError: The device isn't there.
    """
    checkpoint = load_checkpoint(checkpoint_path(checkpoints, framework))
    module, name = ADAPTERS[framework].split(":")
    with _importing:
        adapter_type = getattr(importlib.import_module(module), name)
    adapter: Adapter = adapter_type(checkpoint, device=device)
    return checkpoint, adapter
