"""The adapter of a framework in a child process: a crash, a hang or a memory limit costs that framework alone."""

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import safetensors.numpy
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import MAX_BATCH, Adapter, AdapterError
from app.inference.adapters.process_channel import Buffers, Channel, Command, create_memory
from training import errors
from training.checkpoints.checkpoint import Checkpoint
from training.device_names import DeviceDetails

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

# A child is killed when the thread that started it ends, so one thread that never ends starts them all.
_starter: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="start-children")


class ProcessAdapter(Adapter):
    """A checkpoint in a child process; see `app.inference.adapters.base.Adapter`."""

    def __init__(  # noqa: PLR0913 -- all but the first by keyword
        self,
        checkpoint: Checkpoint,
        *,
        framework: str,
        device: str,
        threads: int,
        max_bytes: int | None = None,
        load_timeout_s: float | None = None,
    ) -> None:
        """Start the child and wait until its adapter is warm.

        Raises:
            AdapterError: The child ended, or took longer than `load_timeout_s`, or its adapter couldn't be made.
            TrainingError: Likewise, with the error of the framework's own folder, such as a `DeviceError`.
        """
        self.framework = framework
        self.model = checkpoint.model
        self._max_bytes = max_bytes
        memory = create_memory(Buffers.nbytes(self.model))
        parent_socket, child_socket = socket.socketpair()
        try:
            arguments = [str(child_socket.fileno()), str(memory), str(os.getpid())]
            self._child = _starter.submit(_start, arguments, (child_socket.fileno(), memory)).result()
            self._channel = Channel(parent_socket)
            self._buffers = Buffers(mmap.mmap(memory, Buffers.nbytes(self.model)), self.model)
        finally:
            child_socket.close()
            os.close(memory)
        self._finalizer = weakref.finalize(self, _stop, self._child, self._channel)
        options = {"framework": framework, "model": self.model.to_json(), "device": device, "threads": threads}
        description = json.loads(self._start_adapter(options, checkpoint, load_timeout_s))
        self.framework_version: str = description["framework_version"]
        self.device: str = description["device"]
        self.details = DeviceDetails(**description["details"]) if description["details"] else None
        self.threads: int = description["threads"]

    @property
    def pid(self) -> int:
        """Process ID of the child."""
        return self._child.pid

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean = np.empty((len(images), self.model.latent_dim), np.float32)
        logvar = np.empty_like(mean)
        for rows in _pieces(len(images)):
            self._call(Command.ENCODE, rows, ((images, self._buffers.images),))
            self._copy(rows, (self._buffers.mean, mean), (self._buffers.logvar, logvar))
        return mean, logvar

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        logits = np.empty((len(z), self.model.image_dim), np.float32)
        for rows in _pieces(len(z)):
            self._call(Command.DECODE, rows, ((z, self._buffers.latents),))
            self._copy(rows, (self._buffers.logits, logits))
        return logits

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits = np.empty((len(images), self.model.image_dim), np.float32)
        mean = np.empty((len(images), self.model.latent_dim), np.float32)
        logvar = np.empty_like(mean)
        buffers = self._buffers
        for rows in _pieces(len(images)):
            self._call(Command.RECONSTRUCT, rows, ((images, buffers.images), (eps, buffers.latents)))
            self._copy(rows, (buffers.logits, logits), (buffers.mean, mean), (buffers.logvar, logvar))
        return logits, mean, logvar

    def count_compilations(self) -> int:
        """Return how often the child's adapter had compiled at its last response."""
        return self._compilations

    def find_fault(self) -> str | None:
        """Return why the child can't compute any more, or None."""
        if self._child.poll() is not None:
            return self._exit_reason()
        if self._max_bytes is not None and (used := _resident_bytes(self._child.pid)) > self._max_bytes:
            return f"its process used {used} bytes of memory, more than the limit of {self._max_bytes}"
        return None

    def close(self) -> None:
        """Kill the child; a call in progress fails."""
        self._finalizer()

    def _start_adapter(self, options: dict[str, object], checkpoint: Checkpoint, timeout_s: float | None) -> str:
        """Have the child make its adapter, and return the description of it."""
        try:
            with self._channel.limit_time(timeout_s):
                self._channel.send_content(json.dumps(options).encode())
                self._channel.send_content(safetensors.numpy.save(dict(checkpoint.weights)))
                result = self._channel.receive_result()
        except TimeoutError:
            self.close()
            raise AdapterError(f"its process didn't load the model within {timeout_s:g} s") from None
        except (EOFError, OSError):
            raise AdapterError(self._exit_reason()) from None
        self._compilations = result.compilations
        if result.failed:
            error = json.loads(result.text)
            kind = getattr(errors, error["type"], None)
            raise kind(error["message"]) if kind else AdapterError(f"it raised {error['type']}")
        return result.text

    def _call(self, command: Command, rows: slice, inputs: tuple[tuple[ndarray, ndarray], ...]) -> None:
        count = rows.stop - rows.start
        for array, buffer in inputs:
            buffer[:count] = array[rows]
        try:
            self._channel.send_command(command, count)
            result = self._channel.receive_result()
        except (EOFError, OSError):
            raise AdapterError(self._exit_reason()) from None
        if result.failed:
            raise AdapterError(f"it raised {result.text}")
        self._compilations = result.compilations

    @staticmethod
    def _copy(rows: slice, *pairs: tuple[ndarray, ndarray]) -> None:
        for buffer, target in pairs:
            target[rows] = buffer[: rows.stop - rows.start]

    def _exit_reason(self) -> str:
        try:
            code = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "its process closed the channel"
        return f"its process was ended by {_signal_name(-code)}" if code < 0 else f"its process exited with {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _pieces(rows: int) -> list[slice]:
    return [slice(start, min(start + MAX_BATCH, rows)) for start in range(0, rows, MAX_BATCH)]


def _start(arguments: list[str], descriptors: tuple[int, ...]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- Python itself, with arguments of its own
        [sys.executable, "-m", "app.inference.adapters.process_worker", *arguments],
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
    )


def _stop(child: "subprocess.Popen[bytes]", channel: Channel) -> None:
    child.kill()
    child.wait()
    channel.close()


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0  # it has just ended
