"""Recipes of a sweep: hyperparameters that differ from a preset's. Trains nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from training.config import ModelConfig, TrainConfig
from training.data import Dataset
from training.engine.run_checks import check_run
from training.errors import ConfigError, DataError

_FIXED: Final = {"dataset", "seed", "target", "validation_images"}
"""Fields that a recipe may not change: with another of these, metrics aren't comparable, or aren't the recipe's."""

FIELDS: Final[Mapping[str, type]] = {
    field.name: type(field.default) for field in fields(TrainConfig) if field.name not in _FIXED
}
"""Type of each field that a recipe may change, by name."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named set of changes to the sweep's base config."""

    name: str
    """Its text, such as `learning_rate=0.001,ema_decay=0.999`; `base` without changes."""

    changes: Mapping[str, Any]
    """Value of each changed field."""

    def config(self, base: TrainConfig, seed: int) -> TrainConfig:
        """Return the config of a run with this seed.

        Raises:
            ConfigError: A value is out of range.
        """
        try:
            return replace(base, **self.changes, seed=seed)
        except ConfigError as error:
            raise ConfigError(f"recipe {self.name!r}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run of a sweep: a recipe with a seed."""

    recipe: str
    seed: int
    config: TrainConfig


def parse_recipe(text: str) -> Recipe:
    """Return the recipe of `name=value` pairs with commas between; `base` is the one without changes.

    Raises:
        ConfigError: A name is unknown or given twice, or a value is of the wrong type.
    """
    changes: dict[str, Any] = {}
    for pair in [] if text.strip() == "base" else text.split(","):
        name, _, value = (part.strip() for part in pair.partition("="))
        name = name.replace("-", "_")
        if name not in FIELDS or name in changes:
            problem = "given twice" if name in changes else "unknown"
            raise ConfigError(f"recipe {text!r}: {name or 'an empty name'} is {problem}: expected {', '.join(FIELDS)}")
        try:
            changes[name] = FIELDS[name](value)
        except ValueError:
            kind = "an integer" if FIELDS[name] is int else "a number"
            raise ConfigError(f"recipe {text!r}: {name} is {value!r}: expected {kind}") from None
    return Recipe(",".join(f"{name}={value}" for name, value in changes.items()) or "base", changes)


def make_cells(recipes: Sequence[Recipe], base: TrainConfig, *, seeds: int) -> list[Cell]:
    """Return the runs of a sweep: the first seed of every recipe, then the second, and so on.

    Raises:
        ConfigError: A value is out of range, or two recipes are the same.
    """
    if len({recipe.name for recipe in recipes}) < len(recipes):
        raise ConfigError("a recipe is given twice: expected each once")
    names: dict[TrainConfig, str] = {}
    for recipe in recipes:
        if (other := names.setdefault(recipe.config(base, base.seed), recipe.name)) != recipe.name:
            raise ConfigError(f"the recipes {other!r} and {recipe.name!r} are the same: expected each once")
    return [
        Cell(recipe=recipe.name, seed=seed, config=recipe.config(base, seed))
        for seed in range(base.seed, base.seed + seeds)
        for recipe in recipes
    ]


def check_cells(cells: Sequence[Cell], model: ModelConfig, dataset: Dataset, *, device: str) -> None:
    """Check that every run of a sweep can train, before the first does.

    Raises:
        ConfigError: One can't, on this device or in this machine's memory; the message names its recipe.
        DataError: One can't, on these images; the message names its recipe.
    """
    for cell in cells:
        try:
            check_run(model, cell.config, dataset, device=device)
        except (ConfigError, DataError) as error:
            raise type(error)(f"recipe {cell.recipe!r}: {error}") from error
