"""The images that a comparison takes: the first of each part of a data set."""

from dataclasses import replace

from training.data import Dataset


def take_images(dataset: Dataset, images: int, test_images: int) -> Dataset:
    """Return the data set with at most so many images for training and validation, and for the test."""
    return replace(
        dataset,
        train=dataset.train[:images],
        validation=dataset.validation[:images],
        test=dataset.test[:test_images],
        train_labels=None,
        validation_labels=None,
        test_labels=None,
    )
