"""Which devices TensorFlow computes on. Called before TensorFlow's first computation."""

from contextlib import suppress

import tensorflow as tf

from training.device_names import DeviceDetails, check_found, parse_device


def select_device(name: str) -> tf.config.LogicalDevice:
    """Make `auto`, `cpu`, `cuda` or `cuda:N` the device of all later computation and return it.

    Products stay in float32 (no TF32), and GPU memory is taken as it is needed, not all at once.

    Raises:
        DeviceError: The device is requested, and TensorFlow doesn't see it.
    """
    return select_devices(name, 1)[0]


def select_devices(name: str, count: int) -> list[tf.config.LogicalDevice]:
    """Select several devices, as `select_device` does one; a CPU is divided into as many.

    Raises:
        DeviceError: TensorFlow sees fewer.
    """
    kind, first = parse_device(name)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "cuda":
        check_found("TensorFlow", name, count, found=len(gpus), extra="cuda-tensorflow")
    if kind == "cpu" or not gpus:
        tf.config.set_visible_devices([], "GPU")
        if count > 1:
            parts = [tf.config.LogicalDeviceConfiguration()] * count
            with suppress(RuntimeError):  # TensorFlow has computed already: its devices are fixed
                tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
        found = tf.config.list_logical_devices("CPU")
    else:
        # The devices in use alone are visible: TensorFlow would take memory of the others, and compute on the first.
        gpus = gpus[first : first + count]
        with suppress(RuntimeError):  # likewise
            tf.config.set_visible_devices(gpus, "GPU")
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
        found = tf.config.list_logical_devices("GPU")
    check_found("TensorFlow", kind, count, found=len(found), extra="cuda-tensorflow")
    return list(found[:count])


def allow_tf32() -> None:
    """Let a GPU round the factors of products to TF32: ten bits of mantissa instead of 23."""
    tf.config.experimental.enable_tensor_float_32_execution(True)


def device_name(device: tf.config.LogicalDevice) -> str:
    """Return `cpu` or `cuda`."""
    return "cuda" if device.device_type == "GPU" else "cpu"


def describe_device(device: tf.config.LogicalDevice) -> DeviceDetails | None:
    """Return a GPU's name; TensorFlow doesn't report how much memory it may use."""
    if device_name(device) == "cpu":
        return None
    details = tf.config.experimental.get_device_details(tf.config.get_visible_devices("GPU")[0])
    return DeviceDetails(name=details.get("device_name", "GPU"))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the error says that the device's memory is too small."""
    return isinstance(error, tf.errors.ResourceExhaustedError) or (
        isinstance(error, tf.errors.OpError) and "out of memory" in str(error).lower()  # XLA's, as an InternalError
    )
