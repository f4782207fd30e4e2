"""Packages that only code that computes may import: the frameworks, and what imports them."""

from training.frameworks import FRAMEWORKS

FRAMEWORK_PACKAGES = (
    *(module for info in FRAMEWORKS.values() for module in info.modules),
    "optax",
    "tensorflow_datasets",
)
