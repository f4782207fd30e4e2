"""Targets made of gray images. Draws nothing for `dynamic`: the trainers do, each epoch, on the device."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from training.config import TARGETS
from training.errors import ConfigError, DataError

TRAIN_SEED: Final = 1
"""Seed of the training split's `fixed` target; another seed makes another data set, with other figures."""

VALIDATION_SEED: Final = 2
"""Seed of the validation split's `fixed` target."""

TEST_SEED: Final = 3
"""Seed of the test split's `fixed` target."""

_CHUNK: Final = 2**12  # images drawn at a time; the result doesn't depend on it


def binarize(images: UInt8[np.ndarray, "n pixels"], *, target: str, seed: int) -> Float32[np.ndarray, "n pixels"]:
    """Return the decoder's target for images with intensities v from 0 to 255.

    `threshold` is 1 where v / 255 >= 0.5. `fixed` draws each pixel once from Bernoulli(v / 255), by the seed and its
    place alone, as Salakhutdinov & Murray (2008), "On the quantitative analysis of deep belief networks", did: it is
    made the same way as, and is not, Larochelle's file, which TFDS serves as `binarized_mnist`. `dynamic` is v / 255
    itself, for a trainer to draw from. Figures of different targets are not comparable.

    Raises:
        ConfigError: The target is unknown, or the seed isn't from 0 to 2^63 - 1.
        DataError: The images aren't uint8 rows.
    """
    if images.dtype != np.uint8 or images.ndim != 2:
        raise DataError(f"images: expected uint8 (n, pixels), found {images.dtype} {images.shape}")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed is {seed!r}: expected an integer from 0 to 2^63 - 1")
    match target:
        case "dynamic":
            return images / np.float32(255)
        case "threshold":
            return (images >= 128).astype(np.float32)
        case "fixed":
            return _draw(images, np.random.Philox(key=seed))
    raise ConfigError(f"target is {target!r}: expected one of {', '.join(TARGETS)}")


def _draw(images: NDArray[np.uint8], bits: np.random.Philox) -> NDArray[np.float32]:
    # NumPy promises that a bit generator's raw stream never changes, and doesn't of a Generator's draws. A word of 64
    # bits modulo 255 is uniform on 0..254 within 2^-56, so it is below v with probability v / 255, never below 0 and
    # always below 255. One word a pixel, whatever the chunk.
    targets = np.empty(images.shape, np.float32)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        draws: Bool[np.ndarray, "n pixels"] = bits.random_raw(chunk.size).reshape(chunk.shape) % np.uint64(255) < chunk
        targets[start : start + _CHUNK] = draws
    return targets
