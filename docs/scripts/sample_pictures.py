"""Make the pictures that the README sends to the service: two digits of the test set, and a photo of a drawn one.

python docs/scripts/sample_pictures.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.data import load_dataset

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images"
ORIENTATION = 0x0112
TURN_CLOCKWISE = 6


def main() -> None:
    """Write the three pictures."""
    dataset = load_dataset("mnist")
    for name, pixels in zip(("digit", "another-digit"), dataset.test[:2], strict=True):
        Image.fromarray(pixels.reshape(dataset.image_shape)).save(FOLDER / f"{name}.png")
    _photo().save(FOLDER / "photo.jpg", quality=80, exif=_exif())


def _photo() -> Image.Image:
    """Return a 3 drawn with a pen on paper, unevenly lit, as a phone held sideways stores it."""
    size = 1200
    paper = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(paper)
    for box, start, end in (((390, 240, 810, 620), 190, 90), ((360, 600, 840, 1010), 270, 165)):
        pen.arc(box, start, end, fill=20, width=84)
    ink = paper.filter(ImageFilter.GaussianBlur(4))
    random = np.random.default_rng(0)
    across = np.linspace(0, 1, size)
    light = 246 - 10 * across[:, None] - 8 * across[None, :]
    grain = random.normal(0, 2, (size, size))
    gray = np.clip(np.asarray(ink) / 255 * light + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(gray).convert("RGB").transpose(Image.Transpose.ROTATE_90)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_CLOCKWISE
    return exif


if __name__ == "__main__":
    main()
