"""Which device JAX computes on. Called before JAX's first computation."""

import os

import jax

from training.errors import DeviceError


def select_device(name: str) -> jax.Device:
    """Make `auto`, `cpu` or `cuda` the device of all later computation and return it.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, not all at once.

    Raises:
        DeviceError: `cuda` was asked for, and JAX sees no GPU.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax.config.update("jax_default_matmul_precision", "highest")
    if name == "cpu":
        jax.config.update("jax_platforms", "cpu")
    try:
        device = jax.devices("cuda")[0] if name == "cuda" else jax.devices()[0]
    except RuntimeError as error:
        raise DeviceError(
            "device 'cuda' was asked for, but JAX sees no GPU: "
            "use device auto or cpu, or install JAX for CUDA: `pip install 'triptych[cuda-jax]'`"
        ) from error
    jax.config.update("jax_default_device", device)
    return device


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    jax.config.update("jax_default_matmul_precision", "tensorfloat32")


def device_name(device: jax.Device) -> str:
    """Return `cpu` or `cuda`."""
    return "cuda" if device.platform in {"cuda", "gpu"} else device.platform
