"""A subset of a data set for the comparison: the first images of each part."""

from dataclasses import replace

from training.data import Dataset


def take_images(dataset: Dataset, images: int, test_images: int) -> Dataset:
    """Return the data set with limited numbers of training, validation and test images."""
    return replace(
        dataset,
        train=dataset.train[:images],
        validation=dataset.validation[:images],
        test=dataset.test[:test_images],
        train_labels=None,
        validation_labels=None,
        test_labels=None,
    )
