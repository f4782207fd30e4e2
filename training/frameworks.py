"""The table of frameworks: every name, alias, package and color that the project uses. Imports none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final, Literal

from training.errors import FrameworkNotInstalledError, UnknownFrameworkError


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkInfo:
    """One framework; everything outside its own folder and adapter reads it from here."""

    title: str
    """Its name in prose, tables and the page."""

    aliases: Sequence[str]
    """Other names that requests and commands accept, in lower case."""

    modules: Sequence[str]
    """Modules that must be importable for it to count as installed."""

    packages: Sequence[str]
    """Distributions whose versions are recorded with a measurement; the first one installed is the core."""

    adapter: str
    """Its `app.inference.adapters.base.Adapter`, as `module:class`."""

    trainer: str | None
    """Package with its model and trainer; None if it only serves."""

    backend: str | None
    """Module of the comparison that runs it; None if it only serves."""

    own_mode: Literal["compiled", "eager"]
    """Execution mode of its trainer when nothing is changed."""

    color: str
    """Color in figures, as `#rrggbb`. The three are of Okabe & Ito, safe for color-blind readers."""

    marker: str
    """Marker in line plots, a letter of matplotlib."""


FRAMEWORKS: Final[dict[str, FrameworkInfo]] = {
    "jax": FrameworkInfo(
        title="JAX",
        aliases=("flax",),
        modules=("jax", "flax"),
        packages=("jaxlib", "jax", "flax", "optax"),
        adapter="app.inference.adapters.jax_adapter:JaxAdapter",
        trainer="training.jax_vae",
        backend="training.comparison.backends.jax_backend",
        own_mode="compiled",
        color="#0072b2",
        marker="o",
    ),
    "tensorflow": FrameworkInfo(
        title="TensorFlow",
        aliases=("tf", "keras"),
        modules=("tensorflow", "keras"),
        packages=("tensorflow", "tensorflow-cpu", "keras"),
        adapter="app.inference.adapters.tensorflow_adapter:TensorflowAdapter",
        trainer="training.tensorflow_vae",
        backend="training.comparison.backends.tensorflow_backend",
        own_mode="compiled",
        color="#d55e00",
        marker="s",
    ),
    "pytorch": FrameworkInfo(
        title="PyTorch",
        aliases=("torch",),
        modules=("torch",),
        packages=("torch",),
        adapter="app.inference.adapters.pytorch_adapter:PytorchAdapter",
        trainer="training.pytorch_vae",
        backend="training.comparison.backends.pytorch_backend",
        own_mode="eager",
        color="#009e73",
        marker="^",
    ),
}
"""Every framework by its name, in the order in which the project lists them."""


def framework_look(name: str) -> dict[str, str]:
    """Return name, title, color and marker of a framework, as the page shows it."""
    info = FRAMEWORKS[name]
    return {"framework": name, "title": info.title, "color": info.color, "marker": info.marker}


def framework_aliases() -> dict[str, str]:
    """Return the canonical name of each alias."""
    return {alias: name for name, info in FRAMEWORKS.items() for alias in info.aliases}


def trainable_frameworks() -> tuple[str, ...]:
    """Return the frameworks that have a trainer; the others only serve."""
    return tuple(name for name, info in FRAMEWORKS.items() if info.trainer)


def framework_choices() -> str:
    """Return names and aliases as one phrase, for help texts and messages."""
    return f"{', '.join(FRAMEWORKS)} (or an alias: {', '.join(framework_aliases())})"


def canonical_framework(name: str) -> str:
    """Return the canonical name of a framework's name or alias, in any case.

    Raises:
        UnknownFrameworkError: It is none of them.
    """
    word = name.strip().lower()
    word = framework_aliases().get(word, word)
    if word not in FRAMEWORKS:
        raise UnknownFrameworkError(f"unknown framework {name[:40]!r}: expected one of {framework_choices()}")
    return word


def is_installed(framework: str) -> bool:
    """Return whether the framework's modules can be imported, without importing them."""
    # A folder that an uninstall left behind has a spec, but no loader.
    specs = [find_spec(module) for module in FRAMEWORKS[framework].modules]
    return all(spec is not None and spec.loader is not None for spec in specs)


def require_installed(framework: str) -> None:
    """Raise unless the framework's modules can be imported.

    Raises:
        FrameworkNotInstalledError: One is missing; the message gives the install command.
    """
    if not is_installed(framework):
        raise FrameworkNotInstalledError(
            f"{framework} is not installed: run `pip install 'triptych[{framework}]'`, "
            f"or `pip install -e '.[{framework}]'` in a checkout"
        )


def import_trainer(framework: str, module: str) -> ModuleType:
    """Import a module of the framework's trainer package, such as `train`.

    Raises:
        FrameworkNotInstalledError: The framework's packages are missing.
        UnknownFrameworkError: The framework has no trainer; the message names those that have one.
    """
    package = FRAMEWORKS[framework].trainer
    if package is None:
        raise UnknownFrameworkError(
            f"{framework} has no trainer, it only serves: expected one of {', '.join(trainable_frameworks())}"
        )
    require_installed(framework)
    return import_module(f"{package}.{module}")


def import_backend(framework: str) -> ModuleType:
    """Import the framework's module of the comparison.

    Raises:
        FrameworkNotInstalledError: The framework's packages are missing.
        UnknownFrameworkError: It has none.
    """
    require_installed(framework)
    backend = FRAMEWORKS[framework].backend
    if backend is None:
        raise UnknownFrameworkError(f"{framework} has no backend to compare: it only serves")
    if (trainer := FRAMEWORKS[framework].trainer) is not None:
        import_module(trainer)  # imports a framework without its messages, which a backend wouldn't
    return import_module(backend)
