"""The channel between a process adapter and its child: shared memory for arrays, a socket for commands. No framework.

Both ends map the same anonymous memory, which the kernel frees with the last of them, whatever ends it.
"""

import mmap
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import MAX_BATCH
from training.config import ModelConfig

_COMMAND: Final = struct.Struct("<BI")
"""Command and rows."""

_RESULT: Final = struct.Struct("<BQI")
"""1 if it failed, compilations so far, and bytes of the text that follows."""


class Command(IntEnum):
    """The method of the adapter that the child calls."""

    ENCODE = 0
    DECODE = 1
    RECONSTRUCT = 2


class Result(NamedTuple):
    """The child's response to a command; the outputs are in the shared memory."""

    failed: bool
    compilations: int
    text: str
    """The error, or at the start the description of the adapter as JSON."""


class Buffers:
    """Views of the shared memory, `MAX_BATCH` rows each."""

    def __init__(self, memory: mmap.mmap, model: ModelConfig) -> None:
        self._memory = memory
        self._offset = 0
        self.images = self._view(model.image_dim)
        self.latents = self._view(model.latent_dim)
        """eps of `reconstruct`, z of `decode`."""

        self.logits = self._view(model.image_dim)
        self.mean = self._view(model.latent_dim)
        self.logvar = self._view(model.latent_dim)

    @staticmethod
    def nbytes(model: ModelConfig) -> int:
        """Return how many bytes the memory needs."""
        return 4 * MAX_BATCH * (2 * model.image_dim + 3 * model.latent_dim)

    def _view(self, columns: int) -> Float32[ndarray, "rows columns"]:
        view = np.frombuffer(self._memory, np.float32, MAX_BATCH * columns, self._offset).reshape(MAX_BATCH, columns)
        self._offset += view.nbytes
        return view


class Channel:
    """One end of the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send_command(self, command: Command, rows: int) -> None:
        """Send a command; its inputs are in the shared memory."""
        self._socket.sendall(_COMMAND.pack(command, rows))

    def receive_command(self) -> tuple[Command, int]:
        """Wait for a command.

        Raises:
            EOFError: The other end is closed.
        """
        command, rows = _COMMAND.unpack(self._receive_exactly(_COMMAND.size))
        return Command(command), rows

    def send_result(self, *, failed: bool = False, compilations: int = 0, text: str = "") -> None:
        """Send the response to a command."""
        content = text.encode()
        self._socket.sendall(_RESULT.pack(failed, compilations, len(content)) + content)

    def receive_result(self) -> Result:
        """Wait for the response to a command.

        Raises:
            EOFError: The other end is closed.
        """
        failed, compilations, length = _RESULT.unpack(self._receive_exactly(_RESULT.size))
        return Result(bool(failed), compilations, self._receive_exactly(length).decode())

    @contextmanager
    def limit_time(self, seconds: float | None) -> Iterator[None]:
        """Raise TimeoutError where the other end neither sends nor receives for so many seconds; None is no limit."""
        self._socket.settimeout(seconds)
        yield
        self._socket.settimeout(None)

    def send_content(self, content: bytes) -> None:
        """Send bytes, with their length in front."""
        self._socket.sendall(len(content).to_bytes(8, "little") + content)

    def receive_content(self) -> bytes:
        """Receive what `send_content` sent.

        Raises:
            EOFError: The other end is closed.
        """
        return bytes(self._receive_exactly(int.from_bytes(self._receive_exactly(8), "little")))

    def _receive_exactly(self, nbytes: int) -> bytearray:
        """Receive exactly so many bytes.

        Raises:
            EOFError: The other end is closed.
        """
        content = bytearray(nbytes)
        view = memoryview(content)
        while view:
            try:
                received = self._socket.recv_into(view)
            except ConnectionError:
                received = 0
            if not received:
                raise EOFError("the other process closed the channel")
            view = view[received:]
        return content

    def close(self) -> None:
        """Close this end; the other's next receive raises EOFError."""
        self._socket.close()


def create_memory(nbytes: int) -> int:
    """Return a file descriptor of anonymous shared memory (Linux)."""
    descriptor = os.memfd_create("triptych")
    os.ftruncate(descriptor, nbytes)
    return descriptor
