"""The child of a process adapter: loads the real adapter and computes one command after another.

Run as `python -m app.inference.adapters.process_worker SOCKET MEMORY PARENT`: two inherited file descriptors, and the
parent's process ID. It ends with its parent, whatever ends that.
"""

import contextlib
import ctypes
import json
import mmap
import os
import signal
import socket
import sys
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import safetensors.numpy
from numpy import ndarray

from app.inference.adapters.base import Adapter
from app.inference.adapters.process_channel import Buffers, Channel, Command
from app.inference.models.loader import make_adapter
from app.process_tuning import freeze_gc, tune_malloc
from training.checkpoints.checkpoint import Checkpoint
from training.config import ModelConfig
from training.process.environment import tolerate_warnings

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Load, report, and compute until the channel is closed."""
    socket_descriptor, memory, parent = (int(argument) for argument in sys.argv[1:])
    _end_with(parent)
    # The parent decides when to stop: a terminal's Ctrl-C and a service manager's SIGTERM reach the whole group.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=socket_descriptor))
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(channel, memory)


def _serve(channel: Channel, memory: int) -> None:
    options = json.loads(channel.receive_content())
    model = ModelConfig.from_json(options["model"])
    weights = safetensors.numpy.load(channel.receive_content())
    checkpoint = Checkpoint(weights=weights, model=model, framework=options["framework"], framework_version="")
    tune_malloc()
    tolerate_warnings()
    try:
        adapter = make_adapter(options["framework"], checkpoint, device=options["device"], threads=options["threads"])
    except Exception as error:  # noqa: BLE001 -- the parent reports it
        channel.send_result(failed=True, text=json.dumps({"type": type(error).__name__, "message": str(error)}))
        return
    freeze_gc()
    description = {name: getattr(adapter, name) for name in ("framework_version", "device", "threads")}
    description["details"] = asdict(adapter.details) if adapter.details else None
    channel.send_result(compilations=adapter.count_compilations(), text=json.dumps(description))
    buffers = Buffers(mmap.mmap(memory, Buffers.nbytes(model)), model)
    while True:
        command, rows = channel.receive_command()
        try:
            _compute(adapter, command, rows, buffers)
        except Exception as error:  # noqa: BLE001 -- likewise
            channel.send_result(failed=True, text=type(error).__name__)
        else:
            channel.send_result(compilations=adapter.count_compilations())


def _compute(adapter: Adapter, command: Command, rows: int, buffers: Buffers) -> None:
    """Compute a command's rows from the shared memory into it."""
    images, latents = buffers.images[:rows], buffers.latents[:rows]
    with np.errstate(over="ignore", invalid="ignore"):  # the parent checks for values that aren't finite
        match command:
            case Command.ENCODE:
                _put(adapter.encode(images), buffers.mean, buffers.logvar)
            case Command.DECODE:
                _put((adapter.decode(latents),), buffers.logits)
            case Command.RECONSTRUCT:
                _put(adapter.reconstruct(images, latents), buffers.logits, buffers.mean, buffers.logvar)


def _put(outputs: tuple[Any, ...], *targets: ndarray) -> None:
    for output, target in zip(outputs, targets, strict=True):
        target[: len(output)] = output


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when the parent's thread that started it ends; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it ended before


if __name__ == "__main__":
    main()
