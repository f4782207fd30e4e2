"""Which device PyTorch computes on. Called before PyTorch's first computation."""

import torch

from training.errors import DeviceError


def select_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` means here.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, as PyTorch always does.

    Raises:
        DeviceError: `cuda` was asked for, and PyTorch sees no GPU.
    """
    torch.set_float32_matmul_precision("highest")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError(
            "device 'cuda' was asked for, but PyTorch sees no GPU: "
            "use device auto or cpu, or install PyTorch for CUDA: `pip install 'triptych[cuda-pytorch]'`"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    torch.set_float32_matmul_precision("high")


def device_name(device: torch.device) -> str:
    """Return `cpu` or `cuda`."""
    return device.type
