"""Names of the models that clients of the protocol see: FRAMEWORK-TASK, or FRAMEWORK-TASK-NAME. Loads nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from app.codecs.error_messages import truncated
from app.codecs.limits import Limits
from app.errors import NotFoundError
from app.inference.models.registry import Registry
from app.open_inference.messages.request_head import Target
from app.open_inference.signatures import TASKS, VERSION, describe_config, make_signature
from training.checkpoints.model_files import NAME
from training.config import ModelConfig
from training.errors import UnknownFrameworkError
from training.frameworks import canonical_framework

_NAME: Final = re.compile(rf"([a-z]{{1,20}})-([a-z]{{1,20}})(?:-({NAME.pattern}))?")


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model of the protocol: a task of a framework's model."""

    framework: str
    task: str
    model: str | None = None
    """Name of its checkpoint; None for the default."""

    def __str__(self) -> str:
        return f"{self.framework}-{self.task}" + (f"-{self.model}" if self.model else "")

    @property
    def platform(self) -> str:
        """The framework and the format of its checkpoints, as metadata names them."""
        return f"{self.framework}_safetensors"

    def with_limits(self, model: ModelConfig, limits: Limits) -> Target:
        """Return all that a request for it is checked against, always the same."""
        return _make_target(self, model, limits)

    def describe(self, model: ModelConfig) -> dict[str, Any]:
        """Return the model's metadata."""
        signature = make_signature(self.task, model)
        return {
            "name": str(self),
            "versions": [VERSION],
            "platform": self.platform,
            "inputs": [spec.to_json() for spec in signature.inputs],
            "outputs": [spec.to_json() for spec in signature.outputs],
        }

    def configure(self, model: ModelConfig, limits: Limits) -> dict[str, Any]:
        """Return the model's configuration, as Triton's clients read it."""
        signature = make_signature(self.task, model)
        return describe_config(str(self), self.platform, signature, max_batch=limits.max_images)


@lru_cache(maxsize=256)
def _make_target(name: ModelName, model: ModelConfig, limits: Limits) -> Target:
    signature = make_signature(name.task, model)
    return Target(name=str(name), url_name=str(name), task=name.task, signature=signature, model=model, limits=limits)


def list_defaults(registry: Registry) -> dict[str, ModelName]:
    """Return the tasks of every framework's default model, by name."""
    names = [ModelName(state.framework, task) for state in registry.states for task in TASKS]
    return {str(name): name for name in names}


def list_models(registry: Registry) -> dict[str, ModelName]:
    """Return every model that could be served, by name; reads the folders of the checkpoints."""
    names = list(list_defaults(registry).values())
    for framework, name in registry.list_names():
        if name != registry.default_model:
            names += [ModelName(framework, task, name) for task in TASKS]
    return {str(name): name for name in names}


def find_model(name: str, version: str | None, registry: Registry) -> ModelName:
    """Return the model of a name, which may begin with a framework's alias.

    Raises:
        NotFoundError: There is no such model or version.
    """
    defaults = list_defaults(registry)
    model = defaults.get(name) or _parse(name, defaults, registry)
    if model is None:
        raise NotFoundError(
            f"unknown model {truncated(name)}: expected one of {', '.join(defaults)}, or one of these with -NAME"
        )
    if version not in {None, "", VERSION}:
        raise NotFoundError(f"{model} has no version {truncated(str(version))}: expected '{VERSION}', or none")
    return model


def _parse(name: str, defaults: Mapping[str, ModelName], registry: Registry) -> ModelName | None:
    match = _NAME.fullmatch(name)
    try:
        default = defaults.get(f"{canonical_framework(match[1])}-{match[2]}") if match else None
    except UnknownFrameworkError:
        return None
    if match is None or default is None or match[3] in {None, registry.default_model}:
        return default
    return replace(default, model=match[3])
