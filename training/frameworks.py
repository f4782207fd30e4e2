"""The three frameworks by name: their order, their aliases, and whether they are installed. Imports none of them."""

from importlib.util import find_spec
from typing import Final

from training.errors import FrameworkNotInstalledError, UnknownFrameworkError

FRAMEWORKS: Final = ("jax", "tensorflow", "pytorch")

ALIASES: Final = {"flax": "jax", "tf": "tensorflow", "keras": "tensorflow", "torch": "pytorch"}

_MODULES: Final = {
    "jax": ("jax", "flax"),
    "tensorflow": ("tensorflow", "keras"),
    "pytorch": ("torch",),
}


def canonical_framework(name: str) -> str:
    """Return the canonical word for a framework's name or alias, in any case.

    Raises:
        UnknownFrameworkError: The name is none of them.
    """
    word = name.strip().lower()
    word = ALIASES.get(word, word)
    if word not in FRAMEWORKS:
        raise UnknownFrameworkError(
            f"unknown framework {name[:40]!r}: expected one of {', '.join(FRAMEWORKS)} "
            f"(or an alias: {', '.join(ALIASES)})"
        )
    return word


def is_installed(framework: str) -> bool:
    """Tell whether the framework's packages can be imported, without importing them."""
    # A folder left behind by an uninstall has a spec, but no loader.
    specs = [find_spec(module) for module in _MODULES[framework]]
    return all(spec is not None and spec.loader is not None for spec in specs)


def require_installed(framework: str) -> None:
    """Raise unless the framework's packages can be imported.

    Raises:
        FrameworkNotInstalledError: They can't; the message gives the install command.
    """
    if not is_installed(framework):
        raise FrameworkNotInstalledError(
            f"{framework} is not installed: run `pip install 'triptych[{framework}]'`, "
            f"or `pip install -e '.[{framework}]'` in a checkout"
        )
