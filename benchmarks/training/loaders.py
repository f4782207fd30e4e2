"""Time each framework's loaders alone, without a model: an epoch of shuffled batches of floats in [0, 1].

    python -m benchmarks.training.loaders

Prints Markdown. Each framework's loaders take turns in a process of its own. The first epoch of each, in which
functions are traced and caches filled, isn't counted.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from training.comparison.environment import CODE
from training.config import ModelConfig
from training.counts import count_of
from training.data import load_dataset
from training.engine.batch_order import draw_order
from training.frameworks import FRAMEWORKS, trainable_frameworks
from training.machine import describe_origin, installed_versions
from training.reporting.markdown_tables import spread, table

Images = UInt8[ndarray, "images pixels"]

Loader = Callable[[], Iterable[Any]]
"""Start an epoch; each batch is ready for a step when the iterator returns it."""


def main() -> None:
    """Measure all loaders and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.loaders", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each loader, taken in turn")
    parser.add_argument("--images", type=int, default=50_000, help="images of an epoch")
    parser.add_argument("--batch-size", type=int, default=256)
    options = parser.parse_args()
    rows = []
    for framework in trainable_frameworks():
        # A fresh process: threads and memory of one framework don't disturb another.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
            seconds_by_loader = processes.submit(measure, framework, **vars(options)).result()
        rows += [[FRAMEWORKS[framework].title, name, spread(seconds, 3)] for name, seconds in seconds_by_loader.items()]
    origin = describe_origin(installed_versions(), code=CODE)
    versions = ", ".join(f"{name} {version}" for name, version in origin["versions"].items())
    images = options.images // options.batch_size * options.batch_size
    lines = [
        f"{origin['machine']}, commit {origin['commit']}; {versions}; load average {origin['load_average']}.",
        f"An epoch is {images:,} images in batches of {options.batch_size}; {count_of(options.rounds, 'round')}.",
        *table(["framework", "loader", "s an epoch"], rows),
    ]
    print("\n".join(lines))


def measure(framework: str, *, rounds: int, images: int, batch_size: int) -> dict[str, list[float]]:
    """Return the seconds of an epoch of each loader, by round."""
    pixels = load_dataset("mnist").train[:images]
    make = {"jax": _jax, "tensorflow": _tensorflow, "pytorch": _pytorch}[framework]
    with tempfile.TemporaryDirectory() as folder:
        loaders = make(pixels, batch_size, Path(folder))
        for load in loaders.values():
            _seconds(load, steps=len(pixels) // batch_size)
        seconds: dict[str, list[float]] = {name: [] for name in loaders}
        for _ in range(rounds):
            for name, load in loaders.items():
                seconds[name].append(_seconds(load, steps=len(pixels) // batch_size))
    return seconds


def _seconds(load: Loader, *, steps: int) -> float:
    began = time.perf_counter()
    count = sum(1 for _ in zip(range(steps), load(), strict=False))
    assert count == steps, f"the loader ended after {count} of {steps} batches"
    return time.perf_counter() - began


def _jax(images: Images, batch_size: int, folder: Path) -> Mapping[str, Loader]:
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    resident = jax.device_put(images)
    cut = jax.jit(lambda pixels, indices: pixels[indices].astype(jnp.float32) / 255)

    def load_resident() -> Iterator[Any]:
        for indices in _shuffle(images, batch_size):
            yield cut(resident, indices).block_until_ready()

    def load_copies() -> Iterator[Any]:
        for indices in _shuffle(images, batch_size):
            yield jax.device_put(images[indices].astype(np.float32) / 255).block_until_ready()

    return {
        "resident array, indexed by a compiled function": load_resident,
        "NumPy array, a copy of each batch": load_copies,
        "TensorFlow Datasets, `tfds.as_numpy`": _tfds(images, batch_size, folder),
    }


def _tfds(images: Images, batch_size: int, folder: Path) -> Loader:
    """Return the seed article's pipeline: single images are mapped, cached, repeated, shuffled, then batched."""
    tf, tfds = _import_tensorflow(), import_module("tensorflow_datasets")
    tf.config.set_visible_devices([], "GPU")
    height, width = ModelConfig().image_shape
    examples = ((index, {"image": image.reshape(height, width, 1)}) for index, image in enumerate(images))
    with redirect_stdout(sys.stderr):
        builder = tfds.dataset_builders.store_as_tfds_dataset(
            name="mnist_copy",
            version="1.0.0",
            features=tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(height, width, 1))}),
            split_datasets={"train": examples},
            data_dir=folder,
        )

    def prepare(example: Any) -> Any:
        return tf.reshape(tf.cast(example["image"], tf.float32) / 255, [height * width])

    dataset = builder.as_dataset(split="train").map(prepare).cache().repeat().shuffle(len(images)).batch(batch_size)
    batches = iter(tfds.as_numpy(dataset))
    return lambda: batches  # it repeats: an epoch goes on where the last one ended


def _tensorflow(images: Images, batch_size: int, _: Path) -> Mapping[str, Loader]:
    tf = _import_tensorflow()
    loops = import_module("benchmarks.training.tensorflow_loops")
    resident = tf.constant(images)

    @tf.function
    def cut(indices: Any) -> Any:
        return tf.cast(tf.gather(resident, indices), tf.float32) / 255

    def load_resident() -> Iterator[Any]:
        for indices in _shuffle(images, batch_size):
            yield cut(tf.constant(indices))

    single = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images))
    single = single.map(lambda image: tf.cast(image, tf.float32) / 255).batch(batch_size, drop_remainder=True)
    return {
        "resident tensor, `tf.gather` in a `tf.function`": load_resident,
        "`tf.data`: shuffle, batch, map, prefetch": partial(iter, loops.load(images, batch_size)),
        "`tf.data`: shuffle, map, batch": partial(iter, single),
    }


def _pytorch(images: Images, batch_size: int, _: Path) -> Mapping[str, Loader]:
    torch = import_module("torch")
    loops = import_module("benchmarks.training.pytorch_loops")
    resident = torch.tensor(images)

    def load_resident() -> Iterator[Any]:
        for indices in _shuffle(images, batch_size):
            yield resident[torch.from_numpy(indices)].float() / 255

    return {
        "resident tensor, indexed": load_resident,
        "`DataLoader` of a `TensorDataset`": partial(iter, loops.load(loops.tensors(images), batch_size)),
        "`DataLoader` of pictures, as torchvision has MNIST": partial(
            iter, loops.load(loops.Pictures(images), batch_size)
        ),
    }


def _import_tensorflow() -> Any:
    import_module("training.tensorflow_vae")  # imports it without the messages of its C++ code
    return import_module("tensorflow")


def _shuffle(images: Images, batch_size: int) -> ndarray:
    """Return the indices of each batch of an epoch."""
    steps = len(images) // batch_size
    return draw_order(np.random.default_rng(0), len(images), steps=steps, batch_size=batch_size)


if __name__ == "__main__":
    main()
