"""Memory that is too small for a batch, by each framework's own error, and the packed calls of a GPU, run on a CPU."""

import asyncio
from importlib import import_module

import numpy as np
import pytest

from app.inference import vae
from app.inference.adapters import packed_calls
from app.inference.adapters.base import MAX_BATCH, AdapterError
from app.inference.adapters.local_adapter import BatchLimit
from app.inference.adapters.numpy_adapter import NumpyAdapter
from app.inference.models.loader import import_adapter
from tests.support.batcher_bench import Bench
from tests.support.checkpoints import make_checkpoint, make_weights
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS, import_trainer

MODEL = ModelConfig(image_shape=(5, 3), hidden_dim=7, latent_dim=2)

OUT_OF_MEMORY = {
    "jax": lambda: import_module("jax").errors.JaxRuntimeError(
        "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 26214400 bytes."
    ),
    "tensorflow": lambda: import_module("tensorflow").errors.ResourceExhaustedError(
        None, None, "OOM when allocating tensor with shape[8192,784] and type float on GPU:0 by allocator GPU_0_bfc"
    ),
    "pytorch": lambda: import_module("torch").OutOfMemoryError("CUDA out of memory. Tried to allocate 24.50 MiB."),
}
"""Each framework's error, as its GPU build raises it."""


@pytest.fixture(params=FRAMEWORKS)
def adapter(request):
    """A framework's adapter on the CPU."""
    return import_adapter(request.param)(make_checkpoint(MODEL, make_weights(MODEL)), device="cpu", threads=1)


@pytest.fixture
def inputs():
    """Images and noise."""
    random = np.random.default_rng(0)
    return random.random((200, MODEL.image_dim), np.float32), random.standard_normal(
        (200, MODEL.latent_dim), np.float32
    )


def shrink_memory(adapter, monkeypatch, *, rows):
    """Have the adapter raise its framework's error for more rows; return the rows of each call."""
    compute, calls = adapter.compute, []

    def computed(method, *arrays):
        calls.append(len(arrays[0]))
        if len(arrays[0]) > rows:
            error = OUT_OF_MEMORY[adapter.framework]()
            raise error
        return compute(method, *arrays)

    monkeypatch.setattr(adapter, "compute", computed)
    return calls


def test_batch_is_halved_and_tried_again(adapter, inputs, monkeypatch):
    """Every row is computed as before, and the limit is remembered: the next batch isn't tried in one piece."""
    expected = adapter.reconstruct(*inputs)
    calls = shrink_memory(adapter, monkeypatch, rows=60)

    outputs = adapter.reconstruct(*inputs)
    first, calls[:] = list(calls), []
    adapter.encode(inputs[0])

    for array, other in zip(outputs, expected, strict=True):
        # A CPU may add up a smaller batch in another order: some units in the last place of logits as large as 7.
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-5)
    assert first == [200, 100, 50, 50, 50, 50]
    assert calls == [50, 50, 50, 50]
    assert adapter.max_batch == 50


def test_requests_survive_a_memory_that_is_too_small(adapter, inputs, monkeypatch):
    """Jobs that are joined into one batch all get their results, and the model stays in service."""
    shrink_memory(adapter, monkeypatch, rows=3)

    async def send():
        bench = Bench()
        pairs = inputs[0][:20].reshape(10, 2, -1)
        runs = (bench.batcher.run(adapter, vae.encode, (pair,), bench.timings) for pair in pairs)
        return await asyncio.gather(*runs), bench.faults

    results, faults = asyncio.run(send())

    expected, _ = NumpyAdapter(make_checkpoint(MODEL, make_weights(MODEL))).encode(inputs[0][:20])
    np.testing.assert_allclose(np.concatenate([mean for mean, _ in results]), expected, rtol=1e-4, atol=1e-5)
    assert faults == []


def test_memory_too_small_for_one_image_is_a_fault(adapter, inputs, monkeypatch):
    """Then nothing can be computed: the model is taken out of service with that reason, and the process lives."""
    shrink_memory(adapter, monkeypatch, rows=0)

    with pytest.raises(AdapterError, match="too little memory for a single image"):
        adapter.decode(inputs[1])


@pytest.mark.parametrize(
    ("framework", "make_error"),
    [
        ("tensorflow", lambda: import_module("tensorflow").errors.InternalError(None, None, "Out of memory: 24 MiB")),
        ("pytorch", lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")),
        ("pytorch", lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes")),
    ],
)
def test_other_wordings_of_it_are_recognized(framework, make_error):
    """Compilers and libraries report a full memory by more general types."""
    is_out_of_memory = import_trainer(framework, "device").is_out_of_memory

    assert is_out_of_memory(make_error())
    assert not is_out_of_memory(RuntimeError("another"))


def test_other_errors_are_raised_as_they_are(inputs):
    """Nothing is tried again after an error that isn't the memory's."""
    limit = BatchLimit(64, lambda error: isinstance(error, MemoryError))

    def compute(_images):
        raise ValueError("another")

    with pytest.raises(ValueError, match="another"):
        limit.run(compute, (inputs[0],))
    assert limit.rows == 64


@pytest.mark.parametrize("count", [1, 5, 64, 300])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_packed_calls_compute_what_numpy_does(framework, count, monkeypatch):
    """As on a GPU, padded and packed into one array each way, every method gives what NumPy gives."""
    monkeypatch.setattr(packed_calls, "SIZES", (1, 8, 64, 128, 256))
    module = import_module(import_adapter(framework).__module__)
    monkeypatch.setattr(module, "device_name", lambda _place: "cuda")
    monkeypatch.setattr(module, "LARGEST", MAX_BATCH)
    checkpoint = make_checkpoint(MODEL, make_weights(MODEL))
    random = np.random.default_rng(count)
    images = random.random((count, MODEL.image_dim), np.float32)
    eps = random.standard_normal((count, MODEL.latent_dim), np.float32)
    expected = NumpyAdapter(checkpoint)

    adapter = import_adapter(framework)(checkpoint, device="cpu", threads=1)
    compilations = adapter.count_compilations()
    pairs = [
        (adapter.encode(images), expected.encode(images)),
        ((adapter.decode(eps),), (expected.decode(eps),)),
        (adapter.reconstruct(images, eps), expected.reconstruct(images, eps)),
    ]
    adapter.reconstruct(1 - images, -eps)

    for outputs, expected_outputs in pairs:  # the later call left the earlier results alone
        for array, other in zip(outputs, expected_outputs, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-4, atol=1e-4)
    assert adapter.max_batch == MAX_BATCH
    assert adapter.count_compilations() == compilations


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (lambda rows: 1.0, 8192),
        (lambda rows: rows / 1000, 256),
        (lambda rows: max(1.0, rows / 2000), 2048),
        (lambda rows: 1.0 + rows / 2000, 8192),
    ],
)
def test_batch_grows_as_long_as_it_pays(seconds, expected):
    """The batch is doubled while a doubling brings a tenth more rows per second, to 8,192."""
    limit = BatchLimit(packed_calls.LARGEST, lambda _error: False)

    assert packed_calls.find_batch_size(seconds, limit) == expected


def test_batch_stays_within_the_memory_that_the_measurement_found():
    """A size that ran out of memory while it was timed isn't chosen, however fast its halves were."""
    limit = BatchLimit(packed_calls.LARGEST, lambda _error: False)

    def time_call(rows):
        limit.rows = min(limit.rows, 1024)
        return 1.0 if rows <= 1024 else 1e-9

    assert packed_calls.find_batch_size(time_call, limit) == 1024
