"""Merges command line options with presets, and checks them against a run to resume."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from training.commands.options.data import describe_image_size
from training.commands.options.snapshots import describe_snapshots
from training.config import PRESETS, ModelConfig, TrainConfig
from training.engine.resume_state import TrainingState
from training.errors import ConfigError

DEFAULT_PRESET: Final = "full"

_RECIPE: Final = [
    field.name for field in fields(TrainConfig) if len({getattr(preset, field.name) for preset in PRESETS.values()}) > 1
]
"""Fields that a preset sets: those in which the presets differ."""


def describe_default(name: str) -> str:
    """Return each preset's value of a field, for a command's help."""
    return ", ".join(f"{preset}: {getattr(config, name)}" for preset, config in PRESETS.items())


def merge_options(preset: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options (those not None), with the preset's values for the others if a preset is named."""
    recipe = {name: getattr(PRESETS[preset], name) for name in _RECIPE} if preset else {}
    return recipe | {name: value for name, value in options.items() if value is not None}


def make_configs(options: Mapping[str, Any], *, image_shape: tuple[int, int]) -> tuple[ModelConfig, TrainConfig]:
    """Return the configs of a new run: the default preset, overridden by the options.

    Raises:
        ConfigError: A value is out of range.
    """
    model = ModelConfig(image_shape=image_shape, **_only(options, "hidden_dim", "latent_dim"))
    return model, replace(PRESETS[DEFAULT_PRESET], **_only(options, *(field.name for field in fields(TrainConfig))))


def own_options(state: TrainingState) -> dict[str, Any]:
    """Return the options of the run to resume, by name, as far as its state has them."""
    options = {
        "framework": state.framework,
        "device": state.device,
        **state.model.to_json(),
        **state.config.to_json(),
    }
    if state.config.dataset.startswith("images:"):
        options["image_size"] = describe_image_size(state.model.image_shape)
    if "invert" in state.origin:
        options["invert"] = state.origin["invert"]
    if state.snapshots is not None:
        options["snapshots"] = describe_snapshots(state.snapshots)
    return options


def check_options(folder: Path, framework: str, options: Mapping[str, Any], state: TrainingState) -> None:
    """Check that no option contradicts the run to resume; its data set may be another of that kind with equal images.

    Raises:
        ConfigError: One does; the message has both values.
    """
    run_options = own_options(state)
    for name, value in {"framework": framework, **options}.items():
        if name == "dataset" and _kind_of(value) == _kind_of(run_options[name]):
            continue  # its folder may have moved; `Run.resume` compares the images
        if name in run_options and run_options[name] != value:
            why = ", for the learning rate of every step depends on it" if name == "epochs" else ""
            option, before = f"--{name.replace('_', '-')}", run_options[name]
            began = f"with {option} {_quote(before)}, not"
            if before is None or before is False:
                began = f"without {option}, not with"
            raise ConfigError(
                f"{folder}: the run to resume began {began} {_quote(value)}, and can't change it{why}: "
                "leave that option out, or start again with --overwrite instead of --resume"
            )


def repeat_command(framework: str, config: TrainConfig, model: ModelConfig, data: Sequence[str]) -> str:
    """Return the command that repeats a run, with every option explicit; `data` are the data set arguments."""
    options: dict[str, object] = {
        "framework": framework,
        "epochs": config.epochs,
        "batch-size": config.batch_size,
        "learning-rate": config.learning_rate,
        "warmup-epochs": config.warmup_epochs,
        "ema-decay": config.ema_decay,
        "hidden-dim": model.hidden_dim,
        "latent-dim": model.latent_dim,
        "compute-dtype": config.compute_dtype,
        "initialization": config.initialization,
        "dataset": config.dataset,
        "target": config.target,
        "seed": config.seed,
    }
    if config.validation_images is not None:
        options["validation-images"] = config.validation_images
    arguments = [argument for name, value in options.items() for argument in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "training", "train", *arguments, *data])


def _kind_of(dataset: str) -> str:
    return dataset.partition(":")[0]


def _quote(value: object) -> str:
    return "it" if value is True else shlex.quote(str(value))


def _only(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}
