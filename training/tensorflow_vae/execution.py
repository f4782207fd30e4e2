"""How TensorFlow runs operations, for a comparison: compiled or one by one, and on how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from training.machine import count_cores


@contextmanager
def compiled() -> Iterator[None]:
    """Run what is called meanwhile compiled: the trainer's own way here, a loop of the graph with steps by XLA.

    Raises:
        CompilerError: There is no compiler; TensorFlow brings its own.
    """
    tf.config.run_functions_eagerly(run_eagerly=False)
    yield


@contextmanager
def eager() -> Iterator[None]:
    """Run the operations of what is called meanwhile one by one, as Python meets them."""
    tf.config.run_functions_eagerly(run_eagerly=True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(run_eagerly=False)


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return tf.config.threading.get_intra_op_parallelism_threads() or count_cores()  # 0: as many as there are
