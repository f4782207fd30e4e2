"""The service among environment variables of other programs: each framework computes the same, and none ends it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.live_service import serving, wait_until_settled
from training.frameworks import FRAMEWORKS

IMAGES = np.random.default_rng(3).random((2, 784), dtype=np.float32)

KERAS_FILE = {"backend": "jax", "floatx": "float16", "epsilon": 1e-3, "image_data_format": "channels_first"}

# Variables that only one framework reads are tried together with the others': a failure names the framework.
HOSTILE = {
    "values": {
        "KERAS_HOME": "{folder}/.keras",
        "HOME": "{folder}",
        "JAX_ENABLE_X64": "1",
        "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
        "JAX_NUMPY_DTYPE_PROMOTION": "strict",
        "JAX_NUMPY_RANK_PROMOTION": "raise",
        "JAX_DEBUG_NANS": "1",
        "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "NVIDIA_TF32_OVERRIDE": "1",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
        "DNNL_DEFAULT_FPMATH_MODE": "BF16",
        "MKL_CBWR": "COMPATIBLE",
        "MKLDNN_DEFAULT_FPMATH_MODE": "BF16",
        "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0",
        "KERAS_BACKEND": "torch",
        "KERAS_MAX_EPOCHS": "abc",
        "TF_USE_LEGACY_KERAS": "1",
        "JAX_PLATFORMS": "cuda",
        "JAX_DISABLE_JIT": "1",
        "JAX_TRANSFER_GUARD": "disallow",
        "JAX_NUM_CPU_DEVICES": "3",
        "JAX_CHECK_TRACER_LEAKS": "1",
        "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
        "TORCHDYNAMO_DISABLE": "1",
        "PYTORCH_JIT": "0",
        "ATEN_CPU_CAPABILITY": "default",
        "NPY_DISABLE_CPU_FEATURES": "AVX2",
        "PYTHONWARNINGS": "error",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "XLA_FLAGS": "--xla_no_such_flag=1 --xla_cpu_enable_fast_math=true",
        "TF_XLA_FLAGS": "--no_such_flag=1",
    },
    "no values": {
        "JAX_ENABLE_X64": "perhaps",
        "TF_FORCE_GPU_ALLOW_GROWTH": "maybe",
        "TF_NUM_INTRAOP_THREADS": "abc",
        "TF_CONFIG": "{",
        "TORCH_DEVICE_BACKEND_AUTOLOAD": "perhaps",
        "OMP_NUM_THREADS": "abc",
        "MKL_NUM_THREADS": "-1",
        "OMP_WAIT_POLICY": "sideways",
        "JAX_LOGGING_LEVEL": "abc",
        "JAX_TRACEBACK_FILTERING": "abc",
        "JAX_COMPILATION_CACHE_MAX_SIZE": "abc",
        "FLAX_PROFILE": "abc",
        "NNX_GRAPH_MODE": "abc",
        "EAGER_CONSTANT_FOLDING": "abc",
        "TF2_BEHAVIOR": "0",
        "HDF5_DRIVER": "abc",
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "abc",
        "JOBLIB_MULTIPROCESSING": "abc",
        "INDUCTOR_PROVENANCE": "abc",
        "SYMPY_DEBUG": "abc",
        "NPY_PROMOTION_STATE": "abc",
        "NUMPY_MADVISE_HUGEPAGE": "abc",
        "JAXTYPING_DISABLE": "abc",
        "TERMINAL_WIDTH": "abc",
    },
}


def reconstruct(folder: Path, **variables: str) -> tuple[dict[str, np.ndarray], str]:
    """Return each framework's probs from a service with these variables, and its log."""
    log = folder / "log"
    with serving(log=log, **variables) as client:
        entries = wait_until_settled(client)
        assert all(entry["ready"] for entry in entries.values()), (entries, log.read_text())
        responses = {
            name: client.post(f"/reconstruct?framework={name}&seed=7", json={"images": IMAGES.tolist()}).json()
            for name in FRAMEWORKS
        }
    return {name: np.array(response["probs"]) for name, response in responses.items()}, log.read_text()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Each framework's probs in these surroundings."""
    return reconstruct(tmp_path_factory.mktemp("usual"))[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_surroundings_change_no_result(name: str, expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    """All three frameworks are ready and compute the same, whatever the environment and keras.json say."""
    keras = tmp_path / ".keras"
    keras.mkdir()
    (keras / "keras.json").write_text(json.dumps(KERAS_FILE))
    variables = {variable: value.replace("{folder}", str(tmp_path)) for variable, value in HOSTILE[name].items()}

    results, log = reconstruct(tmp_path, **variables)

    for framework in FRAMEWORKS:
        np.testing.assert_array_equal(results[framework], expected[framework], err_msg=f"{framework}: {log}")
    assert "Traceback" not in log


@pytest.mark.parametrize("command", ["client", "status", "models"])
def test_surroundings_end_no_command(command: str) -> None:
    """Values that NumPy, jaxtyping and typer can't read end no command."""
    variables = {name: "abc" for values in HOSTILE.values() for name in values}

    done = subprocess.run(
        [sys.executable, "-m", "app", command, "--help"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert f"python -m app {command}" in done.stdout
    assert "Traceback" not in done.stderr
