"""The noise of a request, from its seed alone: the same on every machine, in every framework, in any batch."""

import random
import threading
from typing import Any, Final, cast

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

SEED_LIMIT: Final = 2**63

FRESH_SEED_BITS: Final = 53
"""JSON readers that use float64, such as JavaScript's, represent integers of so many bits exactly."""


class Noise:
    """Standard normal draws from the stream of one seed, in several parts. Used by one thread."""

    def __init__(self, seed: int) -> None:
        """Start at the beginning of the stream; 0 <= seed < 2^63."""
        self._seed = seed
        self._state: Any = None

    def draw(self, shape: tuple[int, ...]) -> Float32[ndarray, "..."]:
        """Return the next draws; two successive draws equal one of both shapes together."""
        _cached.bits.state = self._state or _cached.start(self._seed)
        drawn = _cached.generator.standard_normal(shape, dtype=np.float32)
        self._state = _cached.bits.state
        return drawn


class _CachedGenerator(threading.local):
    """One generator per thread: setting its state takes a fifth of the time of making a generator."""

    def __init__(self) -> None:
        self.bits = np.random.Philox(key=0)
        self.generator = np.random.Generator(self.bits)
        self._start = cast("Any", self.bits.state)
        # The setter reads every word by itself, which takes twice as long from NumPy's arrays.
        self._start["buffer"] = self._start["buffer"].tolist()
        self._start["state"] = {name: words.tolist() for name, words in self._start["state"].items()}
        self._key = self._start["state"]["key"]

    def start(self, seed: int) -> Any:
        """Return the state at the beginning of a seed's stream; it is overwritten by the next call."""
        self._key[0] = seed
        return self._start


_cached: Final = _CachedGenerator()


def choose_seed(seed: int | None) -> int:
    """Return the seed, or a fresh one below 2^53 if it is None."""
    return random.getrandbits(FRESH_SEED_BITS) if seed is None else seed


def draw_noise(seed: int, shape: tuple[int, ...]) -> Float32[ndarray, "..."]:
    """Draw eps ~ N(0, I) of a seed in [0, 2^63).

    Rows are drawn one after the other: the first ones don't depend on how many follow.
    """
    _cached.bits.state = _cached.start(seed)
    return _cached.generator.standard_normal(shape, dtype=np.float32)
