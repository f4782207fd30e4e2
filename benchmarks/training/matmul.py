"""The bare matrix products of a training step in each framework, as a reference rate for the trainers.

Of each dense layer three, forward and the two of the backward pass: inputs @ kernel, inputs.T @ gradients and
gradients @ kernel.T. A trainer needs one of the fifteen not at all, the gradient of the images.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig

Run = Callable[[int], None]
"""Compute the products of a number of steps, and wait for the last."""


def layers() -> list[tuple[int, int]]:
    """Return inputs and outputs of the five dense layers."""
    return [(shape[0], shape[1]) for shape in weight_shapes(ModelConfig()).values() if len(shape) == 2]


def flops_of_step(batch_size: int) -> int:
    """Return multiplications and additions of the fifteen products."""
    return sum(3 * 2 * batch_size * inputs * outputs for inputs, outputs in layers())


def products(framework: str, batch_size: int, device: str) -> dict[str, Run]:
    """Return functions that compute the products on the device, by kind of compilation.

    The first is compiled as in the framework's trainer.
    """
    random = np.random.default_rng(0)
    operands = [
        tuple(random.standard_normal(shape, dtype=np.float32) for shape in ((n, k), (k, m), (n, m)))
        for n, (k, m) in ((batch_size, layer) for layer in layers())
    ]
    makers = {"jax": _jax, "tensorflow": _tensorflow, "pytorch": _pytorch}
    return makers[framework](operands, device)


def _jax(operands: Sequence[tuple[np.ndarray, ...]], device: str) -> dict[str, Run]:
    jax = import_module("jax")
    import_module("training.jax_vae.device").select_device(device)
    arrays = jax.tree.map(jax.numpy.array, list(operands))

    @jax.jit
    def step(operands: Any) -> Any:
        return [(x @ w, x.T @ dy, dy @ w.T) for x, w, dy in operands]

    def run(steps: int) -> None:
        for _ in range(steps):
            outputs = step(arrays)
        jax.block_until_ready(outputs)

    return {"jit": run}


def _tensorflow(operands: Sequence[tuple[np.ndarray, ...]], device: str) -> dict[str, Run]:
    tf = import_module("tensorflow")
    import_module("training.tensorflow_vae.device").select_device(device)
    arrays = [tuple(map(tf.constant, group)) for group in operands]

    def step(operands: Any) -> Any:
        return [
            (tf.matmul(x, w), tf.matmul(x, dy, transpose_a=True), tf.matmul(dy, w, transpose_b=True))
            for x, w, dy in operands
        ]

    def runner(compiled: Any) -> Run:
        def run(steps: int) -> None:
            for _ in range(steps):
                outputs = compiled(arrays)
            np.asarray(outputs[-1][-1])

        return run

    return {"XLA": runner(tf.function(step, jit_compile=True)), "graph": runner(tf.function(step))}


def _pytorch(operands: Sequence[tuple[np.ndarray, ...]], device: str) -> dict[str, Run]:
    torch = import_module("torch")
    place = import_module("training.pytorch_vae.device").select_device(device)
    # As in nn.Linear: weights are (out, in).
    arrays = [tuple(torch.tensor(a, device=place) for a in (x, w.T.copy(), dy)) for x, w, dy in operands]

    @torch.inference_mode()
    def run(steps: int) -> None:
        for _ in range(steps):
            outputs = [(x @ w.T, dy.T @ x, dy @ w) for x, w, dy in arrays]
        outputs[-1][-1][0, 0].item()  # waits for a GPU

    return {"eager": run}
