"""Several devices that share each batch, in JAX: arrays are placed, and the compiler does the rest. No training."""

from collections.abc import Sequence
from typing import TypeVar

import jax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Int32
from numpy import ndarray

T = TypeVar("T")


class Replicas:
    """The devices of a run. Each has all images and weights, and computes an equal part of each batch.

    `train_epoch` stays as it is for one device: `jax.jit` compiles it for the devices that its arguments are on, and
    adds the sums over devices where a mean is over the batch.
    """

    def __init__(self, devices: Sequence[jax.Device]) -> None:
        """Form a mesh of the devices."""
        self._mesh = Mesh(devices, ("batch",))

    def copy(self, tree: T) -> T:
        """Return the arrays of a pytree, copied to each device."""
        return jax.device_put(tree, NamedSharding(self._mesh, PartitionSpec()))

    def split(self, order: Int32[ndarray, "steps batch"]) -> Int32[Array, "steps batch"]:
        """Return the order of images with an equal part of each batch on each device."""
        return jax.device_put(order, NamedSharding(self._mesh, PartitionSpec(None, "batch")))
