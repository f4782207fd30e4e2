"""The environment variables that the frameworks read: which are kept, which are ignored and named."""

import os
import warnings
from unittest.mock import patch

import pytest

from training.process.environment import pin_environment, tolerate_warnings


@pytest.mark.parametrize(
    ("variables", "ignored"),
    [
        ({"JAX_ENABLE_X64": "1", "KERAS_BACKEND": "torch"}, ("JAX_ENABLE_X64", "KERAS_BACKEND")),
        ({"OMP_NUM_THREADS": "abc", "MKL_NUM_THREADS": "0"}, ("MKL_NUM_THREADS", "OMP_NUM_THREADS")),
        ({"GOMP_CPU_AFFINITY": "zz"}, ("GOMP_CPU_AFFINITY",)),
        ({"XLA_FLAGS": "--xla_dump_to=/x --xla_what=1"}, ("XLA_FLAGS --xla_what=1",)),
        (
            {"XLA_FLAGS": "--xla_force_host_platform_device_count=x"},
            ("XLA_FLAGS --xla_force_host_platform_device_count=x",),
        ),
        ({"NVIDIA_TF32_OVERRIDE": "1", "DNNL_VERBOSE": "1"}, ("DNNL_VERBOSE", "NVIDIA_TF32_OVERRIDE")),
        ({"MKLDNN_DEFAULT_FPMATH_MODE": "BF16"}, ("MKLDNN_DEFAULT_FPMATH_MODE",)),
        (
            {"FLAX_PROFILE": "abc", "NNX_GRAPH_MODE": "abc", "CHECK_VMA": "0"},
            ("CHECK_VMA", "FLAX_PROFILE", "NNX_GRAPH_MODE"),
        ),
        ({"TF2_BEHAVIOR": "0", "HDF5_DRIVER": "abc"}, ("HDF5_DRIVER", "TF2_BEHAVIOR")),
        (
            {"NPY_DISABLE_CPU_FEATURES": "AVX2", "OPENBLAS_CORETYPE": "Prescott"},
            ("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE"),
        ),
        (
            {"FSSPEC_CONFIG_DIR": "/", "KERAS_HOME": "/", "MPLBACKEND": "qt"},
            ("FSSPEC_CONFIG_DIR", "KERAS_HOME", "MPLBACKEND"),
        ),
        ({"SYMPY_DEBUG": "abc", "INDUCTOR_PROVENANCE": "abc"}, ("INDUCTOR_PROVENANCE", "SYMPY_DEBUG")),
    ],
)
def test_variables_that_change_results_are_ignored_and_named(variables, ignored) -> None:
    """Variables that would change numbers or end a process are removed from the environment and returned."""
    with patch.dict(os.environ, variables, clear=True):
        assert pin_environment() == tuple(sorted(ignored))

        assert pin_environment() == ()
        assert os.environ["KERAS_BACKEND"] == "tensorflow"
        assert os.environ.get("XLA_FLAGS", "") in ("", "--xla_dump_to=/x")


def test_harmless_variables_are_kept() -> None:
    """Caches, memory and log levels stay as the user has set them."""
    harmless = {
        "JAX_COMPILATION_CACHE_DIR": "/cache",
        "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.5",
        "XLA_FLAGS": "--xla_gpu_cuda_data_dir=/usr/lib/cuda",
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_GPU_ALLOCATOR": "cuda_malloc_async",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
        "OMP_NUM_THREADS": "4,2",
        "NPROC": "3",
        "JAXTYPING_DISABLE": "1",
        "TERMINAL_WIDTH": "100",
        "GOMP_CPU_AFFINITY": "0 3 1-2 4-15:2",
        "CUDA_VISIBLE_DEVICES": "1",
        "TF_CLI_CONFIG_FILE": "/terraform",
    }
    with patch.dict(os.environ, harmless, clear=True):
        assert pin_environment() == ()

        assert {name: os.environ[name] for name in harmless} == harmless


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JAX_LOGGING_LEVEL", "abc"),
        ("JAX_TRACEBACK_FILTERING", "abc"),
        ("JAX_LOG_COMPILES", "perhaps"),
        ("JAX_COMPILATION_CACHE_MAX_SIZE", "abc"),
        ("JAX_ENABLE_COMPILATION_CACHE", ""),
        ("TF_CPP_MIN_LOG_LEVEL", "abc"),
        ("TF_PER_DEVICE_MEMORY_LIMIT_MB", "-"),
        ("XLA_PYTHON_CLIENT_MEM_FRACTION", "half"),
        ("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "abc"),
        ("SOURCE_DATE_EPOCH", "abc"),
        ("SKLEARN_WORKING_MEMORY", "abc"),
        ("NPROC", "abc"),
        ("OMP_THREAD_LIMIT", "-1"),
        ("OPENBLAS_NUM_THREADS", "abc"),
        ("NUMPY_MADVISE_HUGEPAGE", "abc"),
        ("JAXTYPING_DISABLE", "abc"),
        ("TERMINAL_WIDTH", "abc"),
    ],
)
def test_harmless_variables_with_invalid_values_are_ignored(name, value) -> None:
    """A value that the framework can't read, which would end its import, is removed and named."""
    with patch.dict(os.environ, {name: value}, clear=True):
        assert pin_environment() == (name,)

        assert os.environ.get(name) != value


def test_warnings_are_errors_no_longer() -> None:
    """PYTHONWARNINGS=error and -W error end nothing, and children don't inherit them."""
    with (
        patch.dict(os.environ, {"PYTHONWARNINGS": "error"}),
        patch("sys.warnoptions", ["error"]) as options,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")

        tolerate_warnings()

        warnings.warn("a framework's own", DeprecationWarning, stacklevel=1)
        assert options == []
        assert "PYTHONWARNINGS" not in os.environ
