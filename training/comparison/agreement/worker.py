"""Runs one framework on given weights, batches and noise, for comparison with the others."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from training.checkpoints.checkpoint import Weights, load_checkpoint, weight_shapes
from training.comparison.step_inputs import draw_inputs
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, binarize, load_dataset
from training.frameworks import import_backend

_SEED = 0

# No warm-up: with it, the learning rate of the first step is 0 and the weights don't change.
_CONFIG = TrainConfig(epochs=1, learning_rate=1e-3, warmup_epochs=0)


def run(  # noqa: PLR0913 - one for each option
    framework: str, *, steps: list[int], probe_images: int, checkpoints: dict[str, str], device: str, out: str
) -> dict[str, Any]:
    """Write the arrays that `agreement.section` reads to `out`, an npz file; return an empty result.

    `losses`: one per step. `nudged_losses`: the same steps, from weights one unit in the last place larger.
    `STEPS/LAYER`: outputs of a layer for the probe images after that many steps. `logits/NAME`: of a checkpoint.
    """
    inference = import_backend(framework).Inference
    mnist = load_dataset("mnist")
    model = ModelConfig(image_shape=mnist.image_shape)
    probe = binarize(mnist.test[:probe_images], target="fixed", seed=TEST_SEED)
    eps = draw_eps(probe_images, model.latent_dim)
    start = draw_weights(model)
    arrays: dict[str, Any] = {}

    def look(step: int, weights: Weights) -> None:
        for layer, outputs in inference(model, weights, device=device).layer_outputs(probe, eps).items():
            arrays[f"{step}/{layer}"] = outputs

    look(0, start)
    replay = import_backend(framework).Replay
    begin = {"steps_per_epoch": max(steps), "device": device}
    follow = replay(model, _CONFIG, start, **begin)
    nudged = replay(model, _CONFIG, {name: np.nextafter(array, np.inf) for name, array in start.items()}, **begin)
    losses, nudged_losses = [], []
    for step in range(1, max(steps) + 1):
        batch, noise = draw_batch(mnist.train, step, model.latent_dim)
        losses.append(follow.step(batch, noise))
        nudged_losses.append(nudged.step(batch, noise))
        if step in steps:
            look(step, follow.weights())
    for name, path in checkpoints.items():
        loaded = load_checkpoint(Path(path))
        arrays[f"logits/{name}"] = inference(loaded.model, loaded.weights, device=device).reconstruct(probe, eps)[0]
    arrays |= {"losses": np.array(losses), "nudged_losses": np.array(nudged_losses)}
    np.savez(out, **arrays)
    return {}


def draw_weights(model: ModelConfig) -> Weights:
    """Return the initial weights of all frameworks: glorot-uniform kernels, zero biases."""
    random = np.random.default_rng(_SEED)
    weights = {}
    for name, shape in weight_shapes(model).items():
        limit = np.sqrt(6 / sum(shape)) if len(shape) == 2 else 0.0
        weights[name] = random.uniform(-limit, limit, shape).astype(np.float32)
    return weights


def draw_batch(
    images: UInt8[ndarray, "n pixels"], step: int, latent_dim: int
) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"]]:
    """Return the binary images and the noise of a step."""
    random = np.random.default_rng((_SEED, step))
    chosen = images[random.integers(0, len(images), _CONFIG.batch_size)]
    return draw_inputs(chosen, latent_dim, random)


def draw_eps(images: int, latent_dim: int) -> Float32[ndarray, "n latent"]:
    """Return the noise of the probe images."""
    return np.random.default_rng(_SEED).standard_normal((images, latent_dim), dtype=np.float32)
