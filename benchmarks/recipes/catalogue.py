"""The recipes that `benchmarks.recipes` tries, as changes to the first. Trains nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from training.config import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A training config, with factors that the trainers lack until they show a gain."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `TrainConfig` that differ from its defaults."""

    schedule: str = "cosine"
    """Learning rate after the warm-up: half a `cosine`, a `line`, or `constant`."""

    initializer: str = "glorot_uniform"
    """Initializer of the kernels, from `jax.nn.initializers`; or `pytorch`, PyTorch's default of a layer."""

    clip_norm: float | None = None
    """Maximum global norm of the gradient; None for no limit."""

    kl_warmup_epochs: float = 0.0
    """Epochs over which the weight of the KL term rises from 0 to 1, linearly."""

    def train_config(self, *, epochs: int, seed: int) -> TrainConfig:
        """Return the complete config. The `epochs` of a recipe is a factor of the given number."""
        own = {"epochs": round(epochs * self.config.get("epochs", 1))}
        return TrainConfig(**{**self.config, **own, "seed": seed})

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


RECIPES: Final[Mapping[str, Recipe]] = {
    "default": Recipe(),
    "no moving average": Recipe(config={"ema_decay": 0.0}),
    "constant rate": Recipe(schedule="constant"),
    "rate on a line": Recipe(schedule="line"),
    "rate 1.5e-3": Recipe(config={"learning_rate": 1.5e-3}),
    "rate 6e-3": Recipe(config={"learning_rate": 6e-3}),
    "batch 128, rate 2e-3": Recipe(config={"batch_size": 128, "learning_rate": 2e-3}),
    "batch 512, rate 4.5e-3": Recipe(config={"batch_size": 512, "learning_rate": 4.5e-3}),
    "he-normal": Recipe(initializer="he_normal"),
    "PyTorch's initialization": Recipe(initializer="pytorch"),
    "KL warm-up of 10 epochs": Recipe(kl_warmup_epochs=10.0),
    "clipped at norm 5": Recipe(clip_norm=5.0),
    "b2 0.99": Recipe(config={"adam_b2": 0.99}),
    "no warm-up": Recipe(config={"warmup_epochs": 0.0}),
    "average 0.999": Recipe(config={"ema_decay": 0.999}),
    "average 0.9998": Recipe(config={"ema_decay": 0.9998}),
    "binarized once": Recipe(config={"target": "fixed"}),
    "half as long": Recipe(config={"epochs": 0.5}),
    "twice as long": Recipe(config={"epochs": 2.0}),
}
"""One change each. A factor without a gain is not added to the trainers."""
