"""How JAX runs operations, for a comparison: compiled or one by one, and on how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

from training.machine import count_cores


@contextmanager
def compiled() -> Iterator[None]:
    """Run what is called meanwhile compiled: the trainer's own way here, an epoch as one scan.

    Raises:
        CompilerError: There is no compiler; JAX brings its own.
    """
    with jax.disable_jit(disable=False):
        yield


@contextmanager
def eager() -> Iterator[None]:
    """Run the operations of what is called meanwhile one by one, as Python meets them."""
    with jax.disable_jit():
        yield


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return count_cores()  # XLA's own choice on a CPU, which it doesn't tell
