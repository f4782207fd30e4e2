"""Access to arrays, gradients and modules of a framework, alike for all three."""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.checkpoints.checkpoint import WEIGHT_NAMES, Weights
from training.config import ModelConfig
from training.engine.trainer import TrainerState
from training.frameworks import import_backend, import_trainer


class Backend:
    """One framework, imported when it is first asked for something."""

    def __init__(self, framework: str) -> None:
        self.framework = framework

    def module(self, name: str) -> ModuleType:
        """Return a module of the framework's trainer, such as `train`."""
        return import_trainer(self.framework, name)

    def comparison(self) -> ModuleType:
        """Return the framework's module of the comparison."""
        return import_backend(self.framework)

    def array(self, values: Any) -> Any:
        """Return values as the framework's own float32 array."""
        values = np.asarray(values, np.float32)
        match self.framework:
            case "jax":
                return import_module("jax.numpy").array(values)
            case "tensorflow":
                return import_module("tensorflow").constant(values)
            case _:
                return import_module("torch").tensor(values)

    def numpy(self, array: Any) -> NDArray[np.float32]:
        """Return the framework's own array as NumPy's."""
        return array.numpy(force=True) if self.framework == "pytorch" else np.asarray(array)

    def call(self, function: Callable[..., Any], *values: Any) -> NDArray[np.float32]:
        """Call a function of the framework with arrays and return its result in NumPy."""
        return self.numpy(function(*(self.array(value) for value in values)))

    def gradient(self, function: Callable[[Any], Any], values: Any) -> NDArray[np.float32]:
        """Return the derivative of the sum of function(values), by the framework's own means."""
        array = self.array(values)
        match self.framework:
            case "jax":
                return np.asarray(import_module("jax").grad(lambda inner: function(inner).sum())(array))
            case "tensorflow":
                tf = import_module("tensorflow")
                with tf.GradientTape() as tape:
                    tape.watch(array)
                    outputs = function(array)
                return np.asarray(tape.gradient(outputs, array))
            case _:
                array.requires_grad_(True)
                function(array).sum().backward()
                return self.numpy(array.grad)

    def loss_and_gradients(
        self, config: ModelConfig, weights: Weights, images: Any, eps: Any
    ) -> tuple[float, dict[str, NDArray[np.float32]]]:
        """Return the mean negative ELBO and its derivative by every weight, under the canonical names."""
        model, losses, convert = self.module("model").VAE(config), self.module("losses"), self.module("weights")
        images, eps = self.array(images), self.array(eps)

        def negative_elbo(outputs: tuple[Any, Any, Any]) -> Any:
            logits, mean, logvar = outputs
            return -losses.elbo(logits, images, mean, logvar)

        params = convert.import_weights(weights)
        if self.framework == "jax":
            jax = import_module("jax")
            loss, gradients = jax.value_and_grad(
                lambda params: negative_elbo(model.apply({"params": params}, images, eps)).mean()
            )(params)
        elif self.framework == "tensorflow":
            tf = import_module("tensorflow")
            model.set_weights(params)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(negative_elbo(model(images, eps)))
            gradients = [np.asarray(gradient) for gradient in tape.gradient(loss, model.trainable_variables)]
        else:
            model.load_state_dict(params)
            loss = negative_elbo(model(images, eps)).mean()
            loss.backward()
            gradients = {name: weight.grad for name, weight in model.named_parameters()}
        return float(self.numpy(loss)), dict(convert.export_weights(gradients))


def paired_arrays(
    first: TrainerState, second: TrainerState
) -> Iterator[tuple[tuple[str, str], NDArray[np.float32], NDArray[np.float32]]]:
    """Yield, with its place, each array of two trainers' states, of which the first has something in each."""
    for part in ("weights", "ema_weights", "first_moments", "second_moments"):
        for name in WEIGHT_NAMES:
            array = getattr(first, part)[name]
            assert np.any(array), (part, name)
            yield (part, name), array, getattr(second, part)[name]
