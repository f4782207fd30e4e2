"""Defines a data set: gray images in three splits. Neither reads them nor makes them binary."""

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from training.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Gray images in three splits, an image a row: intensities from 0 (black) to 255."""

    name: str
    """The name that `load_dataset` knows it by."""

    image_shape: tuple[int, int]
    """Height and width of an image, in pixels."""

    train: UInt8[np.ndarray, "n pixels"]
    """Images that the weights are fitted to."""

    validation: UInt8[np.ndarray, "n pixels"]
    """Images that epochs and settings are compared on."""

    test: UInt8[np.ndarray, "n pixels"]
    """Images that the final metrics are measured on, once."""

    train_labels: UInt8[np.ndarray, "n"] | None = None
    """The class of each image, where the data set has classes; no trainer sees them."""

    validation_labels: UInt8[np.ndarray, "n"] | None = None
    """Classes of the validation split."""

    test_labels: UInt8[np.ndarray, "n"] | None = None
    """Classes of the test split."""

    def __post_init__(self) -> None:
        pixels = math.prod(self.image_shape)
        for split in ("train", "validation", "test"):
            images, labels = getattr(self, split), getattr(self, f"{split}_labels")
            if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != pixels or len(images) == 0:
                raise DataError(
                    f"{self.name}: {split} images: expected uint8 (n, {pixels}) with n over 0, "
                    f"found {images.dtype} {images.shape}"
                )
            if labels is not None and (labels.dtype != np.uint8 or labels.shape != images.shape[:1]):
                raise DataError(
                    f"{self.name}: {split} labels: expected uint8 ({len(images)},), found {labels.dtype} {labels.shape}"
                )

    def hold_out(self, count: int) -> "Dataset":
        """Return the data set with the last `count` images of training and validation split as validation split.

        Raises:
            DataError: That leaves no image to train on.
        """
        images = np.concatenate([self.train, self.validation])
        if not 0 < count < len(images):
            raise DataError(
                f"{self.name}: can't hold {count} of {len(images)} images out for validation: expected 1 to "
                f"{len(images) - 1}"
            )
        train_count = len(images) - count
        labels = None
        if self.train_labels is not None and self.validation_labels is not None:
            labels = np.concatenate([self.train_labels, self.validation_labels])
        return replace(
            self,
            train=images[:train_count],
            validation=images[train_count:],
            train_labels=None if labels is None else labels[:train_count],
            validation_labels=None if labels is None else labels[train_count:],
        )

    def sha256(self) -> str:
        """Return the SHA-256 of shape and images, in hexadecimal digits, however many of them validate."""
        hasher = hashlib.sha256(repr(self.image_shape).encode())
        for images in (self.train, self.validation, self.test):
            hasher.update(np.ascontiguousarray(images).data)
        return hasher.hexdigest()
