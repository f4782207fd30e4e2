"""Measure the difference in losses between the frameworks over 25 steps, and the effect of Keras's own Adam.

    python -m benchmarks.training.adam_parity

Same initial weights, batches, noise and options; the figure is the largest relative difference from JAX's losses.
"""

import argparse
from importlib import import_module
from typing import Any

import numpy as np

from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig, TrainConfig
from training.data import binarize, load_dataset
from training.frameworks import FRAMEWORKS, import_trainer
from training.machine import describe_machine

STEPS = 25
BATCH = 128


def main() -> None:
    """Print a table."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.training.adam_parity", description=__doc__.partition("\n")[0]
    ).parse_args()
    print(describe_machine())
    print("epsilon  tensorflow  with Keras's own Adam  pytorch")
    for epsilon in (1e-7, 1e-8, 1e-12):
        expected = losses("jax", epsilon)
        others = [
            losses("tensorflow", epsilon),
            losses("tensorflow", epsilon, keras_adam=True),
            losses("pytorch", epsilon),
        ]
        tensorflow, keras, torch = (float(np.abs(other / expected - 1).max()) for other in others)
        print(f"{epsilon:7.0e}  {tensorflow:10.1e}  {keras:21.1e}  {torch:7.1e}")


def losses(framework: str, epsilon: float, *, keras_adam: bool = False) -> np.ndarray:
    """Return the loss before each step."""
    assert framework in FRAMEWORKS
    model_config = ModelConfig()
    config = TrainConfig(epochs=1, batch_size=BATCH, adam_epsilon=epsilon)
    random = np.random.default_rng(0)
    weights = {name: _glorot(random, shape) for name, shape in weight_shapes(model_config).items()}
    images = binarize(load_dataset("mnist").validation[: STEPS * BATCH], target="fixed", seed=0)
    noise = random.standard_normal((STEPS, BATCH, model_config.latent_dim), dtype=np.float32)
    module = import_trainer(framework, "train")
    state = module.create_train_state(model_config, config, steps_per_epoch=STEPS, weights=weights)
    if keras_adam:
        state.optimizer = _keras_adam(state, config)
    step_losses = []
    for batch, eps in zip(images.reshape(STEPS, BATCH, -1), noise, strict=True):
        result = module.train_step(state, *(_array(framework, array) for array in (batch, eps)))
        if framework == "jax":
            state, *result = result
        step_losses.append(-float(result[0]))
    return np.array(step_losses)


def _glorot(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    limit = np.sqrt(6 / sum(shape))
    return random.uniform(-limit, limit, shape).astype(np.float32)


def _keras_adam(state: Any, config: TrainConfig) -> Any:
    keras = import_module("keras")
    optimizer = state.optimizer
    adam = keras.optimizers.Adam(
        optimizer._learning_rate,  # noqa: SLF001 - the schedule itself, not its first value
        beta_1=config.adam_b1,
        beta_2=config.adam_b2,
        epsilon=config.adam_epsilon,
    )
    adam.build(state.model.trainable_variables)
    return adam


def _array(framework: str, values: np.ndarray) -> Any:
    match framework:
        case "jax":
            return import_module("jax.numpy").array(values)
        case "tensorflow":
            return import_module("tensorflow").constant(values)
        case _:
            return import_module("torch").tensor(values)


if __name__ == "__main__":
    main()
