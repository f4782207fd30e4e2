"""Reads data sets of TensorFlow Datasets without TensorFlow. Unprepared ones are prepared in a dedicated process.

TensorFlow would take the GPU memory of the framework that trains. Hiding the GPU from it lasts for the whole process,
even if TensorFlow trains next. So this process never imports it here: reading doesn't need it.
"""

import logging
import math
import multiprocessing
import os
import re
import struct
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from training.counts import count_of
from training.data.dataset import Dataset
from training.data.splits import AS_PICTURES, DTYPES, Split, make_dataset
from training.errors import DataError

_SPLITS = ("train", "validation", "test")


def load_tfds(name: str, set_name: str, *, data_dir: Path | None) -> Dataset:
    """Return TFDS's data set `set_name` (`mnist`, `emnist/letters`, `mnist:3.0.1`), which must be of gray images.

    Its splits `train`, `validation` and `test` are those here; an absent one is cut from the end of `train`.

    Args:
        name: The data set's name here.
        set_name: Its name in TFDS.
        data_dir: Folder of prepared data sets, or of this one; None for TFDS's own, `~/tensorflow_datasets`.

    Raises:
        DataError: TFDS isn't installed or knows no such set, it can't be downloaded, or isn't of gray images.
    """
    try:
        import tensorflow_datasets as tfds  # noqa: PLC0415 - takes half a second, and may be absent
    except ImportError as error:
        raise DataError(
            f"{name}: needs tensorflow-datasets, which is not installed ({error}): "
            "run `pip install 'triptych[train]'`, or `pip install -e '.[train]'` in a checkout"
        ) from error
    with _quiet_absl():
        builder = _find_builder(tfds, name, set_name, data_dir)
        features = _choose_features(tfds, name, builder)
        available = builder.info.splits
        splits = {
            split: _read_split(tfds, f"{name}: {split}", builder, split, features)
            for split in _SPLITS
            if split in available and available[split].num_examples
        }
    if "train" not in splits:
        found = ", ".join(f"{split} of {count_of(info.num_examples, 'image')}" for split, info in available.items())
        message = f"expected a split named train that isn't empty, found {found or 'none'}"
        raise DataError(f"{name}: {message}; {AS_PICTURES}")
    return make_dataset(name, train=splits["train"], validation=splits.get("validation"), test=splits.get("test"))


def prepare(set_name: str, data_dir: str) -> str | None:
    """Download and prepare a data set, in a dedicated process; return the reason if that fails, or None."""
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")
    os.dup2(2, 1)  # it prints progress, which isn't the command's output
    import requests  # noqa: PLC0415 - comes with TFDS
    import tensorflow_datasets as tfds  # noqa: PLC0415 - after the environment is set

    host = None
    try:
        builder = tfds.builder(set_name, data_dir=data_dir)
        # TFDS would retry for three minutes before it reports that there is no network.
        for url in [url for url in builder.url_infos or () if url.startswith("http")][:1]:
            host = urlsplit(url).hostname
            requests.get(url, stream=True, timeout=30).close()
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))
    except requests.ConnectionError:
        return f"{host} can't be reached: no network?"
    except Exception as error:  # noqa: BLE001 - each of its builders raises what it likes
        return _reason(error)
    return None


def _find_builder(tfds: ModuleType, name: str, set_name: str, data_dir: Path | None) -> Any:
    """Return the builder of a prepared data set; prepare it first where it isn't."""
    folder = data_dir or "~/tensorflow_datasets"
    try:
        is_set = data_dir is not None and (data_dir / "dataset_info.json").is_file()
        builder = tfds.builder_from_directory(data_dir) if is_set else tfds.builder(set_name, data_dir=data_dir)
        is_prepared = builder.is_prepared()
    except Exception as error:  # for an unknown name, version or config, or for damaged files, it raises anything
        raise DataError(
            f"{name}: TFDS can't find it: {_reason(error)}; expected a name of its catalog, or of a data set "
            f"prepared in {folder} (choose with --data-dir)"
        ) from error
    if is_set and builder.name != re.split("[/:]", set_name)[0]:
        raise DataError(f"{name}: {folder} holds {builder.name}: name that, or another folder")
    if is_prepared:
        return builder
    reason = _prepare_apart(set_name, str(builder.data_dir_root))
    if reason is not None:
        raise DataError(
            f"{name}: not prepared in {builder.data_dir_root}, and can't be downloaded there: {reason}; on a machine "
            'with internet and TensorFlow run `python -c "import tensorflow_datasets as tfds; '
            f"tfds.builder('{set_name}', data_dir='FOLDER').download_and_prepare()\"`, and give FOLDER as --data-dir"
        )
    return tfds.builder_from_directory(builder.data_dir)


def _prepare_apart(set_name: str, data_dir: str) -> str | None:
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(prepare, set_name, data_dir).result()
    except BrokenProcessPool:
        return "its process was killed"


def _choose_features(tfds: ModuleType, name: str, builder: Any) -> Any:
    """Return the feature called `image`, or else the only image there is, and `label` where it is a class."""
    features = (
        dict(builder.info.features.items()) if isinstance(builder.info.features, tfds.features.FeaturesDict) else {}
    )
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    key = "image" if "image" in features else images[0] if len(images) == 1 else None
    if key is None:
        raise DataError(f"{name}: expected a feature named image, found {', '.join(features) or 'none'}; {AS_PICTURES}")
    shape, dtype = features[key].shape, features[key].np_dtype
    if not isinstance(shape, tuple) or len(shape) not in {2, 3} or shape[2:] not in {(), (1,)}:
        color = " (color)" if isinstance(shape, tuple) and shape[2:] == (3,) else ""
        raise DataError(f"{name}: expected images of one channel, found shape {shape}{color}; {AS_PICTURES}")
    if np.dtype(dtype) not in DTYPES:
        raise DataError(f"{name}: expected 8 bits a pixel (uint8, or bool), found {np.dtype(dtype)}; {AS_PICTURES}")
    label = features.get("label")
    has_classes = isinstance(label, tfds.features.ClassLabel) and (label.num_classes or math.inf) <= 256
    return tfds.features.FeaturesDict({"image": features[key]} | ({"label": label} if has_classes else {}))


def _read_split(tfds: ModuleType, where: str, builder: Any, split: str, features: Any) -> Split:
    count = builder.info.splits[split].num_examples
    try:
        examples = [features.deserialize_example_np(record) for record in _read_records(tfds, builder, split)]
    except Exception as error:  # of damaged records come errors of Pillow, protobuf, array_record and pyarrow
        raise DataError(f"{where}: can't be read: {_reason(error)}; prepare it again") from error
    if len(examples) != count:
        raise DataError(f"{where}: expected {count_of(count, 'image')}, found {len(examples)}; prepare it again")
    sizes = sorted({example["image"].shape[:2] for example in examples})
    if len(sizes) > 1:
        raise DataError(
            f"{where}: expected images of one size, found {len(sizes)} sizes, such as {sizes[0]} and {sizes[-1]}; "
            f"{AS_PICTURES} of any size"
        )
    images = np.stack([example["image"].reshape(sizes[0]) for example in examples])
    labels = np.array([example.get("label", -1) for example in examples])
    # A class of -1 is unknown, as in the test splits of competitions.
    return Split(images, labels.astype(np.uint8) if labels.min() >= 0 else None)


def _read_records(tfds: ModuleType, builder: Any, split: str) -> Iterator[bytes]:
    if builder.info.file_format is tfds.core.FileFormat.TFRECORD:
        for path in builder.info.splits[split].filepaths:
            yield from _read_tfrecord(Path(path))
    else:
        yield from builder.as_data_source(split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)


def _read_tfrecord(path: Path) -> Iterator[bytes]:
    # TFDS reads the other formats without TensorFlow, but not this one, its default: the length in eight bytes, its
    # checksum in four, the record, its checksum in four. The checksums are CRC-32C, which Python lacks; an image in
    # a record is a PNG with its own checksum.
    with path.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            record = file.read(length)
            if len(file.read(4)) < 4:
                raise EOFError(f"{path.name} ends within a record")
            yield record


def _reason(error: Exception) -> str:
    """Return the first line of an error of TFDS, which can be a page long."""
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


@contextmanager
def _quiet_absl() -> Iterator[None]:
    # It would recommend OpenCV, and warn of each folder that isn't a prepared data set.
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
