"""Prepares small data sets with TFDS's own builders: `python -m tests.support.images.tfds_builders FOLDER`."""

import sys
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

IMAGE = tfds.features.Image


class SmallBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Makes images of noise; what kind, its subclasses say."""

    VERSION = tfds.core.Version("1.0.0")
    COUNTS: ClassVar = {"train": 60, "test": 20}
    FEATURES: ClassVar = {"image": IMAGE(shape=(28, 28, 1))}

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(self.FEATURES))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(count) for split, count in self.COUNTS.items()}

    def _generate_examples(self, count):
        generator = np.random.default_rng(count)
        for index in range(count):
            yield index, self.example(index, generator)

    def example(self, index, generator):
        """Return one example."""
        return {"image": generator.integers(0, 256, (28, 28, 1), dtype=np.uint8)}


class BinarizedMnist(SmallBuilder, skip_registration=True):
    """As TFDS's own of this name: three splits, one feature, pixels of 0 and 1, and few of them."""

    name = "binarized_mnist"
    COUNTS: ClassVar = {"train": 40, "validation": 12, "test": 8}

    def example(self, index, generator):
        """Return an image whose first row is its index in binary, so that each is known again."""
        image = generator.integers(0, 2, (28, 28, 1), dtype=np.uint8)
        image[0, :8, 0] = [index >> bit & 1 for bit in range(8)]
        return {"image": image}


class GrayShapes(SmallBuilder, skip_registration=True):
    """Images of 16 x 24 as bright as their class, a feature that is no image, and no validation split."""

    name = "gray_shapes"
    FEATURES: ClassVar = {
        "image": IMAGE(shape=(16, 24, 1)),
        "label": tfds.features.ClassLabel(num_classes=3),
        "text": tfds.features.Text(),
    }

    def example(self, index, generator):
        """Return an image of one gray."""
        return {"image": np.full((16, 24, 1), 100 * (index % 3), np.uint8), "label": index % 3, "text": "any"}


class Bits(SmallBuilder, skip_registration=True):
    """Truth values without a channel, with only a training split, without classes."""

    name = "bits"
    COUNTS: ClassVar = {"train": 72}
    FEATURES: ClassVar = {
        "image": tfds.features.Tensor(shape=(4, 6), dtype=np.bool_),
        "label": tfds.features.ClassLabel(num_classes=2),
    }

    def example(self, index, generator):
        """Return a random image."""
        return {"image": generator.random((4, 6)) < 0.5, "label": -1}


class Color(SmallBuilder, skip_registration=True):
    """Images of three channels."""

    name = "color"
    FEATURES: ClassVar = {"image": IMAGE(shape=(8, 8, 3))}

    def example(self, index, generator):
        """Return a random image."""
        return {"image": generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)}


class Deep(SmallBuilder, skip_registration=True):
    """Images of 16 bits."""

    name = "deep"
    FEATURES: ClassVar = {"image": IMAGE(shape=(8, 8, 1), dtype=np.uint16)}

    def example(self, index, generator):
        """Return a random image."""
        return {"image": generator.integers(0, 65536, (8, 8, 1), dtype=np.uint16)}


class Mixed(SmallBuilder, skip_registration=True):
    """Images of two sizes."""

    name = "mixed"
    FEATURES: ClassVar = {"image": IMAGE(shape=(None, None, 1))}

    def example(self, index, generator):
        """Return a black image of one of the sizes."""
        return {"image": np.zeros((8, 8 + index % 2, 1), np.uint8)}


class TwoImages(SmallBuilder, skip_registration=True):
    """Two images an example, neither called `image`."""

    name = "two_images"
    FEATURES: ClassVar = {"left": IMAGE(shape=(8, 8, 1)), "right": IMAGE(shape=(8, 8, 1))}

    def example(self, index, generator):
        """Return two black images."""
        return {"left": np.zeros((8, 8, 1), np.uint8), "right": np.zeros((8, 8, 1), np.uint8)}


class TestOnly(SmallBuilder, skip_registration=True):
    """A test split, and nothing to train on."""

    name = "test_only"
    COUNTS: ClassVar = {"test": 20}


def main(folder):
    """Prepare them all, in one format or another."""
    for builder, file_format in (
        (BinarizedMnist, "tfrecord"),
        (GrayShapes, "array_record"),
        (Bits, "parquet"),
        (Color, "tfrecord"),
        (Deep, "tfrecord"),
        (Mixed, "tfrecord"),
        (TwoImages, "tfrecord"),
        (TestOnly, "array_record"),
    ):
        builder(data_dir=folder, file_format=file_format).download_and_prepare()


if __name__ == "__main__":
    main(sys.argv[1])
