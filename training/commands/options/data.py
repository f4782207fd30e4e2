"""The data set options, shared by all commands, and the data set of a checkpoint."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from training.checkpoints.checkpoint import Checkpoint
from training.config import check_utf8
from training.data import Dataset, load_dataset
from training.errors import DataError

DatasetOption = Annotated[
    str | None,
    typer.Option(
        help="mnist (embedded); tfds:NAME (of TensorFlow Datasets); idx:FOLDER (of files named as MNIST's); "
        "images:FOLDER (of any pictures).",
        show_default="mnist",
    ),
]

DataDirOption = Annotated[
    Path | None,
    typer.Option(help="Folder of prepared data sets, for tfds:NAME; otherwise TFDS's own.", file_okay=False),
]

ImageSizeOption = Annotated[
    str | None,
    typer.Option(help="Size that pictures of images:FOLDER are resized to; otherwise 28x28.", metavar="HEIGHTxWIDTH"),
]

ValidationImagesOption = Annotated[
    int | None,
    typer.Option(
        help="Images that choose the best epoch, the last of the training and validation images; the others train.",
        show_default="the data set's own",
        metavar="N",
    ),
]

InvertOption = Annotated[bool, typer.Option("--invert", help="The pictures of images:FOLDER are dark on light.")]

OwnInvertOption = Annotated[
    bool | None,
    typer.Option(
        "--invert/--no-invert",
        help="The pictures of images:FOLDER are dark on light, or not; by default, as the checkpoint was trained.",
    ),
]


def load_dataset_of(checkpoint: Checkpoint, name: str | None, *, data_dir: Path | None, invert: bool | None) -> Dataset:
    """Return the data set of that name, by default the checkpoint's own, in its image size; errors of `load_dataset`.

    With `invert` None, pictures are inverted if the checkpoint was trained on inverted ones. The checkpoint's own data
    set is divided as it was for the training.
    """
    own = str(checkpoint.training.get("dataset", "mnist"))
    name = own if name is None else name
    is_folder = name.startswith("images:")
    if invert is None:
        invert = is_folder and bool(checkpoint.training.get("invert"))
    # Only image folders have no fixed image size.
    image_shape = checkpoint.model.image_shape if is_folder else None
    dataset = load_dataset(name, data_dir=data_dir, image_shape=image_shape, invert=invert)
    validation_images = checkpoint.training.get("validation_images")
    if not validation_images:
        return dataset
    if name == own:
        return dataset.hold_out(validation_images)
    with suppress(DataError):  # another data set may have fewer images
        divided = dataset.hold_out(validation_images)
        if divided.sha256() == checkpoint.training.get("data_sha256"):  # the same images by another path
            return divided
    return dataset


def describe_image_size(image_shape: tuple[int, int]) -> str:
    """Return the text of --image-size for a height and width."""
    height, width = image_shape
    return f"{height}x{width}"


def data_arguments(data_dir: Path | None, image_size: str | None, *, invert: bool) -> list[str]:
    """Return these options as command line arguments.

    Raises:
        ConfigError: The folder's name isn't UTF-8.
    """
    if data_dir is not None:
        check_utf8("data_dir", str(data_dir))
    return [
        *(() if data_dir is None else ("--data-dir", str(data_dir))),
        *(() if image_size is None else ("--image-size", image_size)),
        *(("--invert",) if invert else ()),
    ]
