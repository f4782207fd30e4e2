"""Pins environment variables that could change a framework's results or crash it, before it is imported.

Each framework reads dozens of them. Only those listed as harmless (memory, caches, logs) keep the user's values, if
these are valid; numbers and devices are decided by our own settings alone. Imports no framework.
"""

import os
import re
import sys
import warnings
from collections.abc import Iterable
from typing import Final

_PREFIXES: Final = (
    # JAX and Flax
    *("JAX_", "JAX2TF_", "PJRT_", "FLAX_", "NNX_", "CHECK_VMA", "EAGER_CONSTANT_FOLDING", "MPITRAMPOLINE_"),
    # TensorFlow, Keras, and what they import: h5py, protobuf, f2py, and scikit-learn with joblib where it is installed
    *("TF_", "TF2_", "TENSORFLOW_", "KERAS_", "AUTOGRAPH_", "HDF5_", "PROTOCOL_BUFFERS_", "SOURCE_DATE_EPOCH"),
    *("SKLEARN_", "JOBLIB_", "LOKY_"),
    # PyTorch, and SymPy, which it imports
    *("TORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_", "TORCHEXPORT_", "PYTORCH_", "ATEN_", "AOT_INDUCTOR_", "AOTINDUCTOR_"),
    *("INDUCTOR_", "AOT_PARTITIONER_", "COMPILE_STROBELIGHT_", "SYMPY_"),
    # Shared: MKL, oneDNN, cuBLAS, XLA
    *("MKL_", "MKLDNN_", "ONEDNN_", "DNNL_", "NVIDIA_TF32_OVERRIDE", "XLA_"),
    # NumPy, OpenBLAS and jaxtyping; typer fails at a width that is no number
    *("NPY_", "NUMPY_", "OPENBLAS_", "JAXTYPING_", "TERMINAL_WIDTH"),
)
"""Prefixes of the frameworks' variables. Of all three, since they import each other: Keras imports JAX and PyTorch."""

_TRUTH: Final = "(?i:y|yes|t|true|on|1|n|no|f|false|off|0)"
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_COUNTS: Final = r"\s*[1-9]\d*(?:\s*,\s*[1-9]\d*)*\s*"

_HARMLESS: Final = {
    "JAX_COMPILATION_CACHE_DIR": ".*",
    r"JAX_COMPILATION_CACHE_MAX_SIZE|JAX_PERSISTENT_CACHE_MIN_\w+": _NUMBER,
    r"JAX_COMPILATION_CACHE_\w+|JAX_ENABLE_COMPILATION_CACHE|JAX_LOG_COMPILES": _TRUTH,
    "JAX_LOGGING_LEVEL": "NOTSET|DEBUG|INFO|WARNING|ERROR|CRITICAL",
    "JAX_TRACEBACK_FILTERING": "off|tracebackhide|remove_frames|quiet_remove_frames|auto",
    "TF_CPP_MIN_LOG_LEVEL|TF_CPP_MAX_VLOG_LEVEL|TF_PER_DEVICE_MEMORY_LIMIT_MB": r"\d+",
    "TF_CPP_VMODULE|TF_GPU_ALLOCATOR": ".*",
    "TF_DETERMINISTIC_OPS": _TRUTH,
    # Terraform's variables have the same prefix.
    r"TF_(?:CLI|DATA|IN|LOG|PLUGIN|REGISTRY|STATE|TOKEN|VAR)_\w+|TF_IGNORE|TF_INPUT|TF_LOG|TF_WORKSPACE": ".*",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python|upb",
    r"SOURCE_DATE_EPOCH|TERMINAL_WIDTH|OPENBLAS_VERBOSE": r"\d+",
    r"TORCH_HOME|TORCHINDUCTOR_CACHE_DIR|PYTORCH_(?:CUDA_)?ALLOC_CONF": ".*",
    "TORCH_CPP_LOG_LEVEL": "[0-3]|INFO|WARNING|ERROR|FATAL",
    "TORCH_SHOW_CPP_STACKTRACES": "[01]",
    "MKL_NUM_THREADS|OPENBLAS_NUM_THREADS": _COUNTS,
    "NUMPY_MADVISE_HUGEPAGE": "[01]",
    "NUMPY_WARN_IF_NO_MEM_POLICY": ".*",
    r"JAXTYPING_\w+": "(?i:0|1|false|true)",
    "XLA_FLAGS": ".*",
    "XLA_(?:PYTHON_)?CLIENT_MEM_FRACTION": _NUMBER,
    "XLA_(?:PYTHON_)?CLIENT_PREALLOCATE": _TRUTH,
    "XLA_PYTHON_CLIENT_ALLOCATOR": "default|platform|bfc|cuda_async",
}
"""Regular expressions: names that keep their values, and the values; JAX's import fails at any other value."""

_PINNED: Final = {
    # Keras takes its backend and float type from a file in the user's home; this folder never holds one.
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
    # matplotlib, which Keras imports too
    "MPLBACKEND": "agg",
    # fsspec, which JAX and PyTorch import, fails at files of this folder that aren't its own.
    "FSSPEC_CONFIG_DIR": os.devnull,
}

THREAD_VARIABLES: Final = ("MKL_NUM_THREADS", "NPROC", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Numbers of threads, on which the last digits of a training depend: a run records them. XLA reads NPROC."""

_HARMLESS_XLA_FLAG: Final = re.compile(
    r"--xla_(?:(?:gpu_cuda_data_dir|dump_to)=.*|force_host_platform_device_count=[1-9]\d*)"
)

_CORES: Final = re.compile(r"\s*\d+(?:-\d+(?::\d+)?)?(?:[\s,]+\d+(?:-\d+(?::\d+)?)?)*\s*")
"""GNU OpenMP's list of cores, such as `0 3 1-2 4-15:2`."""


def pin_environment() -> tuple[str, ...]:
    """Unset or pin the frameworks' variables; call it before importing them and before starting threads.

    Returns:
        The variables, and flags of XLA_FLAGS, whose values are ignored from now on, in alphabetical order.
    """
    ignored = {name for name, value in _PINNED.items() if os.environ.get(name, value) != value}
    os.environ.update(_PINNED)
    ignored.update(_unset(name for name, value in os.environ.items() if not _is_harmless(name, value)))
    ignored.update(_unset(name for name in THREAD_VARIABLES if not re.fullmatch(_COUNTS, os.environ.get(name, "1"))))
    # GNU OpenMP loops for ever at a list of cores that it can't read, and Python can't interrupt that.
    if not _CORES.fullmatch(os.environ.get("GOMP_CPU_AFFINITY", "0")):
        ignored.update(_unset(["GOMP_CPU_AFFINITY"]))
    ignored.update(_drop_xla_flags())
    # Informational messages and hints of the C++ runtimes of JAX and TensorFlow, which no Python logger can hold back;
    # errors are still written.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return tuple(sorted(ignored))


def tolerate_warnings() -> None:
    """Ignore PYTHONWARNINGS and -W, which could turn the frameworks' own warnings into errors, here and in children."""
    if sys.warnoptions:
        sys.warnoptions.clear()
        os.environ.pop("PYTHONWARNINGS", None)
        warnings.resetwarnings()
        warnings.simplefilter("ignore")


def _is_harmless(name: str, value: str) -> bool:
    if name in _PINNED or not name.startswith(_PREFIXES):
        return True
    values = next((values for names, values in _HARMLESS.items() if re.fullmatch(names, name)), None)
    return values is not None and re.fullmatch(values, value, re.DOTALL) is not None


def _unset(names: Iterable[str]) -> set[str]:
    unset = {name for name in list(names) if name in os.environ}
    for name in unset:
        del os.environ[name]
    return unset


def _drop_xla_flags() -> set[str]:
    """Drop flags of XLA_FLAGS: XLA ends the whole process at one that it doesn't know, and others change numbers."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    harmless_flags = [flag for flag in flags if _HARMLESS_XLA_FLAG.fullmatch(flag)]
    if flags:
        os.environ["XLA_FLAGS"] = " ".join(harmless_flags)
    return {f"XLA_FLAGS {flag}" for flag in flags if flag not in harmless_flags}
