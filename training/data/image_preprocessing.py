"""Makes a model's input of a decoded gray image, for training and for serving alike. Decodes nothing."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image

from training.data.image_formats.gray_image import GrayImage


def preprocess(
    gray: GrayImage, *, image_shape: tuple[int, int], invert: bool, as_mask: bool = False
) -> Float32[ndarray, "height width"]:
    """Return the image upright, flattened onto black, resized, in [0, 1].

    With `invert` it is taken as dark on light: flattened onto white, and 1 - x returned. With `as_mask` an image that
    holds nothing but the levels 0 and 1 is taken as black and white.
    """
    flat = gray.flatten(on_white=invert, as_mask=as_mask)
    height, width = image_shape
    if flat.size != (width, height):
        flat = flat.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = np.asarray(flat, dtype=np.float32)
    # Lanczos overshoots at edges; Pillow clips that in 8 bits, not in floats.
    image = image / np.float32(255) if flat.mode == "L" else image.clip(0, 1)
    return np.float32(1) - image if invert else image
