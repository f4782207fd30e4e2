"""The three parts of a training step, timed separately and compiled as in the framework's trainer.

Drawing a batch (gather, pixels, noise); ELBO and gradients; Adam and the moving average. A whole step may take less
than its parts, where a compiler joins them, or more.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from training.config import ModelConfig, TrainConfig
from training.data import TRAIN_SEED, binarize
from training.engine.batch_order import draw_order
from training.frameworks import import_trainer

Run = Callable[[int], None]
"""Run one part of a number of steps, and wait for the last."""

STEPS = 100_000  # of the schedule: more than any run takes


def parts(framework: str, pictures: np.ndarray, batch_size: int, device: str) -> dict[str, Run]:
    """Return each part by its name."""
    images = binarize(pictures, target="dynamic", seed=TRAIN_SEED)
    indices = draw_order(np.random.default_rng(0), len(images), batch_size=batch_size, steps=1)[0]
    config = TrainConfig(epochs=1, batch_size=batch_size)
    return {"jax": _jax, "tensorflow": _tensorflow, "pytorch": _pytorch}[framework](images, indices, config, device)


def _jax(images: np.ndarray, indices: np.ndarray, config: TrainConfig, device: str) -> dict[str, Run]:
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    import_trainer("jax", "device").select_device(device)
    train, losses = import_trainer("jax", "train"), import_trainer("jax", "losses")
    bernoulli = import_trainer("jax", "sampling").bernoulli
    start = train.create_train_state(ModelConfig(), config, steps_per_epoch=STEPS)
    rows, chosen = jnp.array(images), jnp.array(indices)

    @jax.jit
    def draw(step: int) -> Any:
        pixel_key, eps_key = jax.random.split(jax.random.key(step))
        batch = bernoulli(pixel_key, rows[chosen])
        return batch, jax.random.normal(eps_key, (len(chosen), start.latent_dim))

    @jax.jit
    def differentiate(params: Any, batch: Any, eps: Any) -> Any:
        def loss(params: Any) -> Any:
            logits, mean, logvar = start.apply_fn({"params": params}, batch, eps)
            return -losses.elbo(logits, batch, mean, logvar).mean()

        return jax.value_and_grad(loss)(params)

    def update(state: Any, gradients: Any) -> Any:
        state = state.apply_gradients(grads=gradients)
        ema = jax.tree.map(lambda ema, new: 0.999 * ema + 0.001 * new, state.ema_params, state.params)
        return state.replace(ema_params=ema)

    def repeat(call: Callable[[int], Any]) -> Run:
        def run(steps: int) -> None:
            for step in range(steps):
                outputs = call(step)
            jax.block_until_ready(outputs)

        return run

    batch, eps = draw(0)
    params = jax.tree.map(jnp.copy, start.params)
    _, gradients = differentiate(params, batch, eps)
    update, state = jax.jit(update, donate_argnums=0), [start]

    def update_state(_: int) -> Any:
        state[0] = update(state[0], gradients)
        return state[0]

    return {
        "draw": repeat(draw),
        "gradients": repeat(lambda _: differentiate(params, batch, eps)),
        "update": repeat(update_state),
    }


def _tensorflow(images: np.ndarray, indices: np.ndarray, config: TrainConfig, device: str) -> dict[str, Run]:
    tf = import_module("tensorflow")
    import_trainer("tensorflow", "device").select_device(device)
    train, losses = import_trainer("tensorflow", "train"), import_trainer("tensorflow", "losses")
    bernoulli = import_trainer("tensorflow", "sampling").bernoulli
    state = train.create_train_state(ModelConfig(), config, steps_per_epoch=STEPS)
    variables = state.model.trainable_variables
    rows, chosen = tf.constant(images), tf.constant(indices)

    @tf.function
    def draw(step: Any) -> Any:
        batch = bernoulli([1, 2 * step], tf.gather(rows, chosen))
        eps = tf.random.stateless_normal((len(chosen), state.latent_dim), seed=[1, 2 * step + 1])
        return batch, eps

    @tf.function(jit_compile=True)
    def differentiate(batch: Any, eps: Any) -> Any:
        with tf.GradientTape() as tape:
            logits, mean, logvar = state.model(batch, eps)
            loss = -tf.reduce_mean(losses.elbo(logits, batch, mean, logvar))
        return tape.gradient(loss, variables)

    @tf.function(jit_compile=True)
    def update(gradients: Any) -> Any:
        state.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for ema, new in zip(state.ema_model.trainable_variables, variables, strict=True):
            ema.assign(0.999 * ema + 0.001 * new)
        return gradients

    def repeat(call: Callable[[Any], Any]) -> Run:
        # As in the trainer: a loop in the graph.
        @tf.function
        def loop(steps: Any) -> Any:
            total = tf.zeros(())
            for step in tf.range(steps):
                total += call(step)[0][0, 0]  # what nobody reads isn't computed
            return total

        return lambda steps: float(loop(tf.constant(steps)))

    batch, eps = draw(tf.constant(0))
    gradients = differentiate(batch, eps)
    return {
        "draw": repeat(draw),
        "gradients": repeat(lambda _: differentiate(batch, eps)),
        "update": repeat(lambda _: update(gradients)),
    }


def _pytorch(images: np.ndarray, indices: np.ndarray, config: TrainConfig, device: str) -> dict[str, Run]:
    torch = import_module("torch")
    place = import_trainer("pytorch", "device").select_device(device)
    train, losses = import_trainer("pytorch", "train"), import_trainer("pytorch", "losses")
    bernoulli = import_trainer("pytorch", "sampling").bernoulli
    with place:
        state = train.create_train_state(ModelConfig(), config, steps_per_epoch=STEPS)
    rows, chosen = torch.tensor(images, device=place), torch.tensor(indices, device=place)
    generator = torch.Generator(place).manual_seed(0)

    def draw() -> Any:
        batch = bernoulli(generator, torch.index_select(rows, 0, chosen))
        return batch, torch.randn(len(chosen), state.latent_dim, generator=generator, device=place)

    def differentiate() -> None:
        state.optimizer.zero_grad()
        logits, mean, logvar = state.model(batch, eps)
        (-losses.elbo(logits, batch, mean, logvar).mean()).backward()

    def update() -> None:
        state.optimizer.step()
        with torch.no_grad():
            for ema, new in zip(state.ema_model.parameters(), state.model.parameters(), strict=True):
                ema.lerp_(new, weight)

    def repeat(call: Callable[[], Any]) -> Run:
        def run(steps: int) -> None:
            for _ in range(steps):
                call()
            if place.type == "cuda":
                torch.cuda.synchronize()

        return run

    batch, eps = draw()
    weight = torch.tensor(0.001, device=place)
    differentiate()
    return {"draw": repeat(draw), "gradients": repeat(differentiate), "update": repeat(update)}
