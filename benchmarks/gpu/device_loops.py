"""Computation on a framework's device, without transfers: the adapter's own calls, and the bare matrix products.

The products are those of a forward pass, in float32: five, for the two hidden layers and the three outputs.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy import ndarray

from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig
from training.frameworks import import_trainer

CALLS = 10
"""Calls of a loop between two synchronizations, which hide the launch of the next behind the current one."""

Operands = Sequence[tuple[ndarray, ndarray]]

Loop = Callable[[], None]
"""Makes `CALLS` calls and waits for the last."""


def make_device_loop(adapter: Any, size: int) -> Loop:
    """Return a loop that reconstructs a batch on the device; inputs and outputs stay there."""
    width = adapter.model.image_dim + 2 * adapter.model.latent_dim
    packed = np.random.default_rng(0).random((size, width), np.float32)
    return {"jax": _jax_calls, "tensorflow": _tensorflow_calls, "pytorch": _pytorch_calls}[adapter.framework](
        adapter, packed
    )


def make_gemm_loop(adapter: Any, model: ModelConfig, size: int, *, device: str) -> Loop:
    """Return a loop that computes the products of a batch on the device, by the framework's own GEMM."""
    random = np.random.default_rng(0)
    operands = [
        (random.standard_normal((size, shape[0]), np.float32), random.standard_normal(shape, np.float32))
        for shape in weight_shapes(model).values()
        if len(shape) == 2
    ]
    place = import_trainer(adapter.framework, "device").select_device(device)
    makers = {"jax": _jax_products, "tensorflow": _tensorflow_products, "pytorch": _pytorch_products}
    return makers[adapter.framework](operands, place)


def eager_call(adapter: Any) -> Callable[[ndarray, ndarray], Any] | None:
    """Return PyTorch's model as it is without CUDA graphs, host to host; None for the others, which always compile."""
    if adapter.framework != "pytorch":
        return None
    torch, vae = import_module("torch"), adapter._vae  # noqa: SLF001 -- as the adapter calls it
    place = next(vae.parameters()).device

    def call(images: ndarray, eps: ndarray) -> list[ndarray]:
        with torch.inference_mode():
            outputs = vae(torch.from_numpy(images).to(place), torch.from_numpy(eps).to(place))
            return [output.numpy(force=True) for output in outputs]

    return call


def _jax_calls(adapter: Any, packed: ndarray) -> Loop:
    jax, compiled = import_module("jax"), adapter._compiled["reconstruct"]  # noqa: SLF001 -- without the transfers
    state = [jax.device_put(packed)]

    def loop() -> None:
        for _ in range(CALLS):
            state[0] = compiled(adapter._variables, state[0])  # noqa: SLF001 -- likewise; the input is donated
        state[0].block_until_ready()

    return loop


def _jax_products(operands: Operands, _place: Any) -> Loop:
    jax = import_module("jax")
    arrays = jax.device_put(operands)
    products = jax.jit(lambda operands: [inputs @ kernel for inputs, kernel in operands])

    def loop() -> None:
        for _ in range(CALLS):
            outputs = products(arrays)
        jax.block_until_ready(outputs)

    return loop


def _tensorflow_calls(adapter: Any, packed: ndarray) -> Loop:
    tf, function = import_module("tensorflow"), adapter._functions["reconstruct"]  # noqa: SLF001 -- likewise
    inputs = tf.constant(packed)

    def loop() -> None:
        for _ in range(CALLS):
            outputs = function(inputs)
        outputs[-1:].numpy()  # waits for the last call

    return loop


def _tensorflow_products(operands: Operands, _place: Any) -> Loop:
    tf = import_module("tensorflow")
    arrays = [tuple(tf.constant(array) for array in pair) for pair in operands]
    products = tf.function(lambda operands: [inputs @ kernel for inputs, kernel in operands], jit_compile=True)

    def loop() -> None:
        for _ in range(CALLS):
            outputs = products(arrays)
        outputs[-1][-1:].numpy()

    return loop


def _pytorch_calls(adapter: Any, packed: ndarray) -> Loop:
    torch, graphed = import_module("torch"), adapter._packed._compute  # noqa: SLF001 -- likewise
    graphed("reconstruct", packed)
    recorded = graphed._calls["reconstruct", len(packed)]  # noqa: SLF001 -- likewise

    def loop() -> None:
        with torch.inference_mode():
            for _ in range(CALLS):
                recorded.replay()
        _synchronize(torch, recorded.inputs)

    return loop


def _pytorch_products(operands: Operands, place: Any) -> Loop:
    torch = import_module("torch")
    arrays = [tuple(torch.tensor(array, device=place) for array in pair) for pair in operands]
    outputs = [inputs @ kernel for inputs, kernel in arrays]

    def loop() -> None:
        for _ in range(CALLS):
            for (inputs, kernel), output in zip(arrays, outputs, strict=True):
                torch.mm(inputs, kernel, out=output)
        _synchronize(torch, outputs[0])

    return loop


def _synchronize(torch: Any, tensor: Any) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize(tensor.device)
