"""The options that say which images a command takes, the same for each command."""

from pathlib import Path
from typing import Annotated

import typer

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

InvertOption = Annotated[bool, typer.Option("--invert", help="The pictures of images:FOLDER are dark on light.")]


def data_words(data_dir: Path | None, image_size: str | None, *, invert: bool) -> list[str]:
    """Return the words of a command line that give these options."""
    return [
        *(() if data_dir is None else ("--data-dir", str(data_dir))),
        *(() if image_size is None else ("--image-size", image_size)),
        *(("--invert",) if invert else ()),
    ]
