"""Configuration of a model and of a training run: frozen dataclasses with validation. Imports no framework."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self, cast

from training.errors import ConfigError

TARGETS = ("dynamic", "fixed", "threshold")

COMPUTE_DTYPES = ("float32", "tf32", "bfloat16")

INITIALIZATIONS = ("glorot", "pytorch")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The architecture: two dense layers on each side of the latent space."""

    image_shape: tuple[int, int] = (28, 28)
    """Height and width of an image, in pixels, each 1 to 4096."""

    hidden_dim: int = 500
    """Units of the encoder's and of the decoder's hidden layer, 1 to 65536."""

    latent_dim: int = 20
    """Length of z, 1 to 4096."""

    def __post_init__(self) -> None:
        shape = self.image_shape
        if not isinstance(shape, tuple) or len(shape) != 2:
            raise ConfigError(f"image_shape is {shape!r}: expected a pair (height, width)")
        for name, value in (("image_shape[0]", shape[0]), ("image_shape[1]", shape[1])):
            _check_integer(name, value, 1, 4096)
        _check_integer("hidden_dim", self.hidden_dim, 1, 65536)
        _check_integer("latent_dim", self.latent_dim, 1, 4096)

    @property
    def image_dim(self) -> int:
        """Pixels of an image: height times width."""
        return math.prod(self.image_shape)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self) | {"image_shape": list(self.image_shape)}

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Return the config whose `to_json` is `values`.

        Raises:
            ConfigError: A field is missing, unknown, of the wrong type or out of range.
        """
        given = _check_fields(cls, values)
        shape = given["image_shape"]
        return cls(**(given | {"image_shape": tuple(shape) if isinstance(shape, list) else shape}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Hyperparameters of a run: everything that determines the result, apart from the framework."""

    epochs: int = 500
    """Passes over the training images, 1 to 100000."""

    batch_size: int = 256
    """Images in a step, 1 to 65536."""

    learning_rate: float = 3e-3
    """Highest step size of Adam, over 0 and at most 1; the schedule rises to it and falls to 0."""

    warmup_epochs: float = 5.0
    """Epochs over which the learning rate rises from 0, linearly; 0 or more."""

    adam_b1: float = 0.9
    """Decay of Adam's first moment, 0 to below 1."""

    adam_b2: float = 0.999
    """Decay of Adam's second moment, 0 to below 1."""

    adam_epsilon: float = 1e-8
    """Adam's epsilon, over 0; written out because Keras would take 1e-7."""

    ema_decay: float = 0.9995
    """Decay a step of the moving average of the weights, which is what is evaluated and saved; 0 to below 1."""

    target: str = "dynamic"
    """Binarization of training images: drawn each epoch (dynamic), drawn once (fixed), or at 0.5 (threshold)."""

    compute_dtype: str = "float32"
    """Precision of matrix products: float32, bfloat16, or (only on a GPU) tf32. Everything else is float32."""

    initialization: str = "glorot"
    """Initial weights: Glorot-uniform kernels and zero biases, or the default of PyTorch's layers (pytorch)."""

    dataset: str = "mnist"
    """Name of the data set."""

    validation_images: int | None = None
    """Images held out of the training images to choose the best epoch, from 1; None for the data set's own division."""

    seed: int = 0
    """Seed of initial weights, order of images, and noise; 0 to 2^31 - 1."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # TensorFlow, unlike the other two, doesn't convert integers to floats.
            if isinstance(field.default, float) and type(value) is int:
                object.__setattr__(self, field.name, float(value))
        _check_integer("epochs", self.epochs, 1, 100_000)
        _check_integer("batch_size", self.batch_size, 1, 65536)
        _check_integer("seed", self.seed, 0, 2**31 - 1)
        if self.validation_images is not None:
            _check_integer("validation_images", self.validation_images, 1, 2**31 - 1)
        for name in ("learning_rate", "adam_epsilon"):
            _check_number(name, getattr(self, name), lambda value: 0 < value <= 1, "over 0 and at most 1")
        for name in ("adam_b1", "adam_b2", "ema_decay"):
            _check_number(name, getattr(self, name), lambda value: 0 <= value < 1, "from 0 to below 1")
        _check_number("warmup_epochs", self.warmup_epochs, lambda value: 0 <= value < math.inf, "from 0")
        if self.target not in TARGETS:
            raise ConfigError(f"target is {self.target!r}: expected one of {', '.join(TARGETS)}")
        if self.compute_dtype not in COMPUTE_DTYPES:
            raise ConfigError(f"compute_dtype is {self.compute_dtype!r}: expected one of {', '.join(COMPUTE_DTYPES)}")
        if self.initialization not in INITIALIZATIONS:
            expected = ", ".join(INITIALIZATIONS)
            raise ConfigError(f"initialization is {self.initialization!r}: expected one of {expected}")
        if not isinstance(self.dataset, str):
            raise ConfigError(f"dataset is {self.dataset!r}: expected a name")
        check_utf8("dataset", self.dataset)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Return the config whose `to_json` is `values`.

        Raises:
            ConfigError: A field is missing, unknown, of the wrong type or out of range.
        """
        return cls(**_check_fields(cls, values))


def check_utf8(name: str, value: str) -> None:
    """Check that a checkpoint can hold a value, which on Linux may have bytes of any encoding, as names of folders.

    Raises:
        ConfigError: It can't.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{name} is {value!r}: expected a name in UTF-8, for a checkpoint keeps it; rename the folder, or name a "
            "link to it"
        ) from error


def _check_fields(cls: type, values: object) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{cls.__name__} is {type(values).__name__}: expected a JSON object")
    given = cast("Mapping[str, Any]", values)
    expected = {field.name for field in fields(cls)}
    if set(given) != expected:
        raise ConfigError(f"{cls.__name__} has the fields {sorted(given)}: expected {sorted(expected)}")
    return dict(given)


def _check_integer(name: str, value: object, start: int, stop: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not start <= value <= stop:
        raise ConfigError(f"{name} is {value!r}: expected an integer from {start} to {stop}")


def _check_number(name: str, value: object, fits: Callable[[float], bool], expected: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not fits(value):
        raise ConfigError(f"{name} is {value!r}: expected a number {expected}")


PRESETS: Final[Mapping[str, TrainConfig]] = {
    "full": TrainConfig(),
    "quick": TrainConfig(epochs=25, learning_rate=3e-3, warmup_epochs=1.0, ema_decay=0.999),
}
"""Recipes by name: `full` is the bundled models' (`benchmarks/recipes/RESULTS.md` says why); `quick` takes about a
minute.
"""
