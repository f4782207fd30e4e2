"""Folders of image files, no two alike, and the data sets that they are read as."""

import numpy as np
from PIL import Image

from training.data import load_dataset


def write_noise(folder, count, *, start=0):
    """Write so many small pictures, no two alike, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(start, start + count):
        pixels = np.random.default_rng(seed).integers(0, 256, (5, 6), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed:03}.png")
    return folder


def load_images(folder, shape=(5, 6), **options):
    """Return the data set of a folder."""
    return load_dataset(f"images:{folder}", image_shape=shape, **options)


def sides(dataset):
    """Return the part that each image is in, by its pixels."""
    parts = ("train", "validation", "test")
    return {image.tobytes(): part for part in parts for image in getattr(dataset, part)}
