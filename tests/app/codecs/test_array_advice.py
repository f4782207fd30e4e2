"""`app.codecs.arrays` and `payload_arrays`: advice about images on another scale, and about no images at all."""

import json

import numpy as np
import pytest

from app.codecs.arrays import as_images, as_latents
from app.codecs.npy import dump_npy
from app.codecs.payload import parse_plain
from app.codecs.payload_arrays import ends_from
from app.errors import InvalidValueError
from tests.support.limits import make_limits
from training.config import ModelConfig

MODEL = ModelConfig(image_shape=(2, 3), latent_dim=4)
LIMITS = make_limits(max_images=5)


def fault(caught):
    """Return where and why of the only wrong value."""
    (error,) = caught.value.errors
    return error.where, error.why


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        *(("images", shape) for shape in [(0,), (0, 6), (0, 2, 3)]),
        *(("latents", shape) for shape in [(0,), (0, 4)]),
    ],
)
def test_none_at_all(kind, shape):
    """An array of no images or latents fits the expected shapes: it is called empty."""
    read = as_images if kind == "images" else as_latents

    with pytest.raises(InvalidValueError) as caught:
        read(np.zeros(shape), model=MODEL, limits=LIMITS, where="body")

    assert fault(caught) == ("body", f"holds no {kind}: expected at least one")


@pytest.mark.parametrize(
    ("body", "content_type", "where"),
    [
        (json.dumps({"images": []}).encode(), "application/json", "body.images"),
        (json.dumps({"latents": []}).encode(), "application/json", "body.latents"),
        (dump_npy(np.zeros((0, 6), np.float32)), "application/x-npy", "body"),
    ],
)
def test_no_ends(body, content_type, where):
    """Of no ends it is said that two are expected, and not one."""
    payload = parse_plain(body, content_type=content_type, field="ends", model=MODEL, limits=LIMITS)

    with pytest.raises(InvalidValueError) as caught:
        ends_from(payload, model=MODEL, limits=LIMITS, invert=False)

    assert fault(caught) == (where, "holds 0: expected two, to interpolate between")


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [
        (0, np.nextafter(np.float32(1), np.float32(2)), "clip values just outside it"),
        (-1e-7, 1, "clip values just outside it"),
        (-0.2, 1.3, "clip values just outside it"),
        (0, 2, "divide 0..255 by 255"),
        (3, 255, "divide 0..255 by 255"),
        (-1, 1, "map -1..1 to it by (x + 1) / 2"),
        (-0.42, 2.82, "rescale: black is 0 and white is 1"),
        (0, 65535, "rescale: black is 0 and white is 1"),
        (-1e30, 1e30, "rescale: black is 0 and white is 1"),
    ],
)
def test_images_of_another_range(low, high, hint):
    """The advice follows from the whole image: to divide all that is a little over 1 by 255 would make it black."""
    array = np.zeros((2, 6), np.float32)
    array[1] = np.linspace(low, high, 6, dtype=np.float32)

    with pytest.raises(InvalidValueError) as caught:
        as_images(array, model=MODEL, limits=LIMITS, where="body.images")

    where, why = fault(caught)
    assert where == "body.images[1]"
    assert why.endswith(f"expected 0 to 1 ({hint})")
