"""Which device TensorFlow computes on. Called before TensorFlow's first computation."""

import tensorflow as tf

from training.errors import DeviceError


def select_device(name: str) -> tf.config.LogicalDevice:
    """Make `auto`, `cpu` or `cuda` the device of all later computation and return it.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, not all at once.

    Raises:
        DeviceError: `cuda` was asked for, and TensorFlow sees no GPU.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    gpus = tf.config.list_physical_devices("GPU")
    if name == "cuda" and not gpus:
        raise DeviceError(
            "device 'cuda' was asked for, but TensorFlow sees no GPU: "
            "use device auto or cpu, or install TensorFlow for CUDA: `pip install 'triptych[cuda-tensorflow]'`"
        )
    if name == "cpu":
        tf.config.set_visible_devices([], "GPU")
    else:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    return (tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU"))[0]


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    tf.config.experimental.enable_tensor_float_32_execution(True)


def device_name(device: tf.config.LogicalDevice) -> str:
    """Return `cpu` or `cuda`."""
    return "cuda" if device.device_type == "GPU" else "cpu"
