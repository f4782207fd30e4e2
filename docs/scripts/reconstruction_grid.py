"""Draw docs/images/reconstructions.png: test digits, and what each committed checkpoint makes of them.

python docs/scripts/reconstruction_grid.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.inference import vae
from app.inference.models.loader import load_model
from app.inference.noise import draw_noise
from training.config import ModelConfig
from training.data import TEST_SEED, binarize, load_dataset
from training.frameworks import FRAMEWORKS

ROOT = Path(__file__).parents[2]
DIGITS = 14
SCALE = 2
GAP = 6
LABEL_WIDTH = 92


def main() -> None:
    """Draw the picture."""
    dataset = load_dataset("mnist")
    images = binarize(dataset.test[:DIGITS], target="fixed", seed=TEST_SEED)
    rows = {"original": images.reshape(-1, *dataset.image_shape)}
    eps = draw_noise(0, (DIGITS, ModelConfig().latent_dim))
    for framework in FRAMEWORKS:
        _, adapter = load_model(framework, path=ROOT / "checkpoints" / framework / "model.safetensors", device="cpu")
        rows[framework] = vae.reconstruct(adapter, images, eps)[0].reshape(-1, *dataset.image_shape)
    height, width = (SCALE * side + GAP for side in dataset.image_shape)
    picture = Image.new("L", (LABEL_WIDTH + DIGITS * width + GAP, len(rows) * height + GAP), 255)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=14)
    for row, (label, cells) in enumerate(rows.items()):
        top = GAP + row * height
        draw.text((GAP, top + (height - GAP) / 2), label, fill=0, font=font, anchor="lm")
        for column, cell in enumerate(cells):
            pixels = Image.fromarray(np.rint(255 * (1 - cell)).astype(np.uint8))
            box = (LABEL_WIDTH + column * width, top)
            picture.paste(pixels.resize((width - GAP, height - GAP), Image.Resampling.NEAREST), box)
    path = ROOT / "docs" / "images" / "reconstructions.png"
    picture.save(path, optimize=True)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
