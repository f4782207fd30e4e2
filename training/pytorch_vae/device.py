"""Which devices PyTorch computes on. Called before PyTorch's first computation."""

import torch

from training.device_names import DeviceDetails, check_found, parse_device


def select_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu`, `cuda` or `cuda:N` means here.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, as PyTorch always does.

    Raises:
        DeviceError: The device is requested, and PyTorch doesn't see it.
    """
    return select_devices(name, 1)[0]


def select_devices(name: str, count: int) -> list[torch.device]:
    """Select several devices, as `select_device` does one; a CPU is divided into as many.

    Raises:
        DeviceError: PyTorch sees fewer.
    """
    kind, first = parse_device(name)
    torch.set_float32_matmul_precision("highest")
    found = torch.cuda.device_count() if torch.cuda.is_available() and kind != "cpu" else 0
    if kind == "cpu" or (kind == "auto" and not found):
        return [torch.device("cpu")] * count
    check_found("PyTorch", name, count, found=found, extra="cuda-pytorch")
    return [torch.device("cuda", first + number) for number in range(count)]


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    torch.set_float32_matmul_precision("high")


def device_name(device: torch.device) -> str:
    """Return `cpu` or `cuda`."""
    return device.type


def describe_device(device: torch.device) -> DeviceDetails | None:
    """Return a GPU's name and memory."""
    if device_name(device) == "cpu":
        return None
    properties = torch.cuda.get_device_properties(device)
    return DeviceDetails(name=properties.name, memory_bytes=properties.total_memory)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the error says that the device's memory is too small."""
    # A CPU and cuBLAS report it as RuntimeErrors of no type of their own.
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError)
        and any(text in str(error) for text in ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED"))
    )
