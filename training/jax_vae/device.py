"""Which devices JAX computes on. Called before JAX's first computation."""

import os
from contextlib import suppress

import jax

from training.device_names import DeviceDetails, check_found, parse_device
from training.errors import DeviceError


def select_device(name: str) -> jax.Device:
    """Make `auto`, `cpu`, `cuda` or `cuda:N` the device of all later computation and return it.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, not all at once.

    Raises:
        DeviceError: The device is requested, and JAX doesn't see it, or JAX can't start.
    """
    return select_devices(name, 1)[0]


def select_devices(name: str, count: int) -> list[jax.Device]:
    """Select several devices, as `select_device` does one; a CPU is divided into as many.

    Raises:
        DeviceError: JAX sees fewer, or can't start.
    """
    kind, first = parse_device(name)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax.config.update("jax_default_matmul_precision", "highest")
    if kind == "cpu":
        jax.config.update("jax_platforms", "cpu")
    if count > 1 and kind != "cuda":
        with suppress(RuntimeError):  # JAX has computed already: the number is fixed
            jax.config.update("jax_num_cpu_devices", count)
    try:
        found = jax.devices("cuda") if kind == "cuda" else jax.devices()
    except RuntimeError as error:
        if kind != "cuda":
            raise DeviceError(f"device {name}: JAX can't start: {error}") from error
        found = []
    check_found("JAX", name, count, found=len(found), extra="cuda-jax")
    devices = found[first : first + count]
    jax.config.update("jax_default_device", devices[0])
    return devices


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    jax.config.update("jax_default_matmul_precision", "tensorfloat32")


def device_name(device: jax.Device) -> str:
    """Return `cpu` or `cuda`."""
    return "cuda" if device.platform in {"cuda", "gpu"} else device.platform


def describe_device(device: jax.Device) -> DeviceDetails | None:
    """Return a GPU's name and the memory that JAX may use."""
    if device_name(device) == "cpu":
        return None
    statistics = device.memory_stats() or {}
    return DeviceDetails(name=device.device_kind, memory_bytes=statistics.get("bytes_limit"))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the error says that the device's memory is too small."""
    return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
