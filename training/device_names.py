"""Names of devices, such as `cuda:1`, and their description. Selects no device and imports no framework."""

import re
from dataclasses import dataclass
from typing import Final

from training.counts import count_of
from training.errors import DeviceError

DEVICE: Final = re.compile(r"auto|cpu|cuda(?::(\d{1,3}))?")
"""The names: `auto` is the first GPU if there is one, else the CPU; `cuda:N` is the GPU of that number, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDetails:
    """Properties of a GPU, as a framework reports them."""

    name: str
    """Name of the product, such as `NVIDIA H200`."""

    memory_bytes: int | None = None
    """Memory that the framework may use; None if it doesn't report it."""


def parse_device(name: str) -> tuple[str, int]:
    """Return the kind (`auto`, `cpu` or `cuda`) and the number of the first device.

    Raises:
        DeviceError: It isn't a device's name.
    """
    match = DEVICE.fullmatch(name)
    if match is None:
        raise DeviceError(f"device {name!r}: expected auto, cpu, cuda, or cuda:N with a number from 0")
    return name.partition(":")[0], int(match[1] or 0)


def check_found(title: str, name: str, count: int, *, found: int, extra: str) -> None:
    """Check that a framework found the requested devices.

    Args:
        title: The framework.
        name: The requested device.
        count: How many of them, from that number on.
        found: How many devices of the kind it sees.
        extra: The optional dependency that installs it for CUDA.

    Raises:
        DeviceError: It sees too few.
    """
    kind, first = parse_device(name)
    if found >= first + count:
        return
    if kind == "cuda" and not found:
        raise DeviceError(
            f"device {name}: {title} sees no GPU: "
            f"use device auto or cpu, or install {title} for CUDA: `pip install 'triptych[{extra}]'`"
        )
    if first:
        raise DeviceError(f"device {name}: {title} sees {count_of(found, 'GPU')}, numbered from 0")
    raise DeviceError(f"{count} devices of {name} were requested, and {title} sees {found}: use at most {found}")
