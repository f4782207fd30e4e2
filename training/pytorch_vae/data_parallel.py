"""Several devices that share each batch, in PyTorch: a process for each, which exchange gradients. No training."""

import multiprocessing
import shutil
import signal
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from training.errors import DeviceError
from training.machine import count_cores

_GRACE_S: Final = 5.0
"""Seconds in which a process may end by itself."""

_TIMEOUT: Final = timedelta(minutes=5)
"""Longest wait of the devices for each other, at the start and in a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """This process's device among those of a run. Each has all images and weights, and computes a part of each batch.

    All of them draw the noise of the whole batch, from the same seed, so that it is that of one device.
    """

    rank: int = 0
    """Number of the device, from 0."""

    count: int = 1
    """Devices of the run."""

    def own_part(self, batch: Tensor) -> Tensor:
        """Return this device's rows of a batch."""
        return batch if self.count == 1 else batch.chunk(self.count)[self.rank]

    def wrap(self, model: torch.nn.Module) -> torch.nn.Module:
        """Return the model with gradients that are averaged over all devices."""
        return model if self.count == 1 else DistributedDataParallel(model)

    def mean(self, figures: Tensor) -> Tensor:
        """Return the mean over all devices."""
        if self.count > 1:
            dist.all_reduce(figures)
            figures /= self.count
        return figures


class Workers:
    """Processes that train on the other devices, and repeat what the trainer of this process does."""

    def __init__(self, make_trainer: Callable[..., Any], devices: Sequence[torch.device], **arguments: Any) -> None:
        """Start a process for each device but the first, and wait until all have joined.

        Args:
            make_trainer: Returns a trainer from a replica, a device and the arguments; a module's function or class.
            devices: The devices of the run.
            arguments: Further arguments of the trainer.
        """
        self.replica = Replica(count=len(devices))
        self._workers: list[tuple[SpawnProcess, Connection]] = []
        if len(devices) == 1:
            return
        context = multiprocessing.get_context("spawn")
        meeting = Path(tempfile.mkdtemp(prefix="triptych-devices-"))
        self._end = weakref.finalize(self, _end, self._workers, meeting, torch.get_num_threads())
        for rank in range(1, len(devices)):
            ours, theirs = context.Pipe()
            replica = Replica(rank=rank, count=len(devices))
            begin = partial(make_trainer, replica=replica, device=str(devices[rank]), **arguments)
            words = (theirs, meeting, replica, devices[rank], begin)
            process = context.Process(target=_work, args=words, daemon=True, name=f"device-{rank}")
            process.start()
            theirs.close()
            self._workers.append((process, ours))
        with self._reporting_ends():
            _join(meeting, self.replica, devices[0])

    @contextmanager
    def repeat(self, method: str, *arguments: Any, **options: Any) -> Iterator[None]:
        """Call a method of the trainer in each worker; the block does the same in this process.

        Raises:
            DeviceError: A worker's process ended.
        """
        with self._reporting_ends():
            for _, pipe in self._workers:
                pipe.send((method, arguments, options))
            yield

    @contextmanager
    def _reporting_ends(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as error:  # a broken pipe, or a reduction whose other end is gone
            for number, (process, _) in enumerate(self._workers, start=2):
                process.join(timeout=_GRACE_S)
                if process.exitcode is not None:
                    raise DeviceError(
                        f"device {number} of {self.replica.count}: its process ended with exit code "
                        f"{process.exitcode}; see its message above, and continue with --resume"
                    ) from error
            raise


def _work(
    pipe: Connection, meeting: Path, replica: Replica, device: torch.device, make_trainer: Callable[[], Any]
) -> None:
    """Repeat the calls of the first process until it closes the pipe, by intention or by its end."""
    # The first process decides when to stop: a terminal's Ctrl-C reaches all of them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _join(meeting, replica, device)
    trainer = make_trainer()
    with suppress(EOFError):
        while True:
            method, values, options = pipe.recv()
            getattr(trainer, method)(*values, **options)


def _join(meeting: Path, replica: Replica, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(max(1, count_cores() // replica.count))
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=(meeting / "store").as_uri(),
        rank=replica.rank,
        world_size=replica.count,
        timeout=_TIMEOUT,
    )


def _end(workers: Sequence[tuple[SpawnProcess, Connection]], meeting: Path, threads: int) -> None:
    for _, pipe in workers:
        pipe.close()
    for process, _ in workers:
        process.join(timeout=_GRACE_S)
        process.kill()
    torch.set_num_threads(threads)
    if dist.is_initialized():
        dist.destroy_process_group()
    shutil.rmtree(meeting, ignore_errors=True)
