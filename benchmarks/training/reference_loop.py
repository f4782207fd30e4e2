"""The same model trained as in the frameworks' well-known examples: a loop over batches, plain Adam.

Own code, after pytorch/examples' `vae`, Flax's `examples/vae` (which once compiled its step, and no longer does) and
TensorFlow's and Keras's tutorials, all in batches of 128; model, loss and drawn pixels are those of our trainers.
TensorFlow's pipeline batches before it maps, and prefetches, as the guide of `tf.data` advises.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from training.config import ModelConfig
from training.engine.batch_order import draw_order

LEARNING_RATE = 1e-3

Epoch = Callable[[np.ndarray], float]
"""Train an epoch on uint8 images, shuffled by the loop itself, and return the mean ELBO."""

UNCOMPILED = ("step not compiled, as in Flax's example", "eager `GradientTape`")
"""The loops of JAX and TensorFlow that run operation by operation."""


def common_ways(framework: str, batch_size: int, device: str) -> dict[str, Epoch]:
    """Return functions that train an epoch, by a descriptive name."""
    return {"jax": _jax, "tensorflow": _tensorflow, "pytorch": _pytorch}[framework](batch_size, device)


def _jax(batch_size: int, device: str) -> dict[str, Epoch]:
    jax, optax = import_module("jax"), import_module("optax")
    import_module("training.jax_vae.device").select_device(device)
    losses = import_module("training.jax_vae.losses")
    model = import_module("training.jax_vae.model").VAE(ModelConfig())
    train_state = import_module("flax.training.train_state")
    size = ModelConfig()

    def train_step(state: Any, images: Any, key: Any) -> Any:
        pixel_key, eps_key = jax.random.split(key)
        batch = jax.random.bernoulli(pixel_key, images).astype("float32")
        eps = jax.random.normal(eps_key, (len(batch), size.latent_dim))

        def loss(params: Any) -> Any:
            logits, mean, logvar = state.apply_fn({"params": params}, batch, eps)
            return -losses.elbo(logits, batch, mean, logvar).mean()

        value, gradients = jax.value_and_grad(loss)(state.params)
        return state.apply_gradients(grads=gradients), value

    def start() -> Any:
        nothing = jax.numpy.zeros((1, size.image_dim)), jax.numpy.zeros((1, size.latent_dim))
        params = model.init(jax.random.key(0), *nothing)["params"]
        return train_state.TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(LEARNING_RATE))

    def epoch(images: np.ndarray, *, step: Any) -> float:
        nonlocal key
        total, steps = 0.0, len(images) // batch_size
        for indices in draw_order(np.random.default_rng(0), len(images), steps=steps, batch_size=batch_size):
            key, step_key = jax.random.split(key)
            states[step], value = step(states[step], images[indices].astype(np.float32) / 255, step_key)
            total -= float(value)
        return total / steps

    key = jax.random.key(1)
    compiled = jax.jit(train_step)
    states = {train_step: start(), compiled: start()}
    return {
        UNCOMPILED[0]: partial(epoch, step=train_step),
        "`jax.jit` of a step": partial(epoch, step=compiled),
    }


def _tensorflow(batch_size: int, device: str) -> dict[str, Epoch]:
    import_module("training.tensorflow_vae.device").select_device(device)
    tf = import_module("tensorflow")
    loops = import_module("benchmarks.training.tensorflow_loops")

    def epoch(images: np.ndarray, *, step: Any) -> float:
        total, steps = 0.0, 0
        for batch in loops.load(images, batch_size):
            total -= float(step(batch))
            steps += 1
        return total / steps

    return {
        UNCOMPILED[1]: partial(epoch, step=loops.make_step(LEARNING_RATE)),
        "`tf.function` of a step": partial(epoch, step=tf.function(loops.make_step(LEARNING_RATE))),
        "`tf.function` of a step, by XLA": partial(
            epoch, step=tf.function(loops.make_step(LEARNING_RATE), jit_compile=True)
        ),
        "Keras `compile` and `fit`, with a `train_step`": loops.make_fit(LEARNING_RATE, batch_size, jit_compile=False),
        "the same, by XLA": loops.make_fit(LEARNING_RATE, batch_size, jit_compile=True),
    }


def _pytorch(batch_size: int, device: str) -> dict[str, Epoch]:
    torch, loops = import_module("torch"), import_module("benchmarks.training.pytorch_loops")
    place = import_module("training.pytorch_vae.device").select_device(device)
    losses = import_module("training.pytorch_vae.losses")
    size = ModelConfig()

    def make_epoch(make_dataset: Any) -> Epoch:
        model = import_module("training.pytorch_vae.model").VAE(size).to(place)
        optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

        def epoch(images: np.ndarray) -> float:
            loader = loops.load(make_dataset(images), batch_size)
            total = 0.0
            for (batch,) in loader:
                pixels = torch.bernoulli(batch.to(place))
                optimizer.zero_grad()
                logits, mean, logvar = model(pixels, torch.randn(len(pixels), size.latent_dim, device=place))
                loss = -losses.elbo(logits, pixels, mean, logvar).mean()
                loss.backward()
                total -= loss.item()
                optimizer.step()
            return total / len(loader)

        return epoch

    return {
        "`DataLoader` of pictures, as torchvision has MNIST": make_epoch(loops.Pictures),
        "`DataLoader` of a `TensorDataset`": make_epoch(loops.tensors),
    }
