"""Models in a folder of checkpoints: FRAMEWORK/NAME.safetensors, and the files beside it. Reads no content."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.errors import ConfigError

DEFAULT_NAME: Final = "model"
"""The model used if a request or command names none."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SUFFIX: Final = ".safetensors"
_SNAPSHOTS: Final = ".snapshots"

_RESERVED: Final = frozenset({"state"})
"""A run's state for `--resume` is beside its checkpoint, in the same format."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Paths of one model: its checkpoint, the files that belong to it, and its history."""

    checkpoints: Path
    framework: str
    """The framework that serves the model; another may have trained it."""

    name: str = DEFAULT_NAME

    @property
    def path(self) -> Path:
        """The checkpoint's file."""
        return self.folder / f"{self.name}{_SUFFIX}"

    @property
    def folder(self) -> Path:
        """The folder of all models of the framework."""
        return self.checkpoints / self.framework

    @property
    def companion(self) -> Path:
        """The file with test images and the latent map."""
        return self.folder / f"{self.name}.companion.json"

    @property
    def snapshots(self) -> Path:
        """The file with the weights of earlier epochs."""
        return self.folder / f"{self.name}{_SNAPSHOTS}{_SUFFIX}"

    @property
    def side_files(self) -> dict[str, Path]:
        """The files that belong to the checkpoint, companion and snapshots, by their suffix."""
        return {path.name.removeprefix(f"{self.name}."): path for path in (self.companion, self.snapshots)}

    @property
    def history(self) -> Path:
        """The folder of its replaced checkpoints."""
        return self.folder / ".history" / self.name

    def __str__(self) -> str:
        return f"{self.framework}/{self.name}"


def locate(path: Path) -> ModelFile:
    """Return the model of a checkpoint path that ends in FRAMEWORK/NAME.safetensors."""
    return ModelFile(path.absolute().parent.parent, path.absolute().parent.name, path.name.removesuffix(_SUFFIX))


def is_name(name: str) -> bool:
    """Return whether a string is a valid model name."""
    return NAME.fullmatch(name) is not None and name not in _RESERVED and not name.endswith(_SNAPSHOTS)


def check_name(name: str) -> str:
    """Validate and return a model name.

    Raises:
        ConfigError: The name is invalid.
    """
    if not is_name(name):
        raise ConfigError(
            f"model name is {name[:80]!r}: expected 1 to 64 letters, digits, '.', '_' and '-' that begin with a letter "
            f"or digit and don't end in '{_SNAPSHOTS}', and not {' or '.join(sorted(_RESERVED))!r}"
        )
    return name


def list_models(checkpoints: Path, framework: str) -> list[ModelFile]:
    """Return the framework's models: the default first, then by name; empty without a folder."""
    files = (checkpoints / framework).glob(f"*{_SUFFIX}")
    names = {file.name.removesuffix(_SUFFIX) for file in files}
    order = sorted(filter(is_name, names), key=lambda name: (name != DEFAULT_NAME, name))
    return [ModelFile(checkpoints, framework, name) for name in order]
