"""`app.codecs.payload`: every kind of body gives the same images, or a sentence that says why not."""

import asyncio
import base64
import json
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.codecs.npy import dump_npy
from app.codecs.payload import parse_payload
from app.codecs.payload_arrays import images_from
from app.errors import InvalidValueError, MalformedBodyError, TooLargeError
from tests.support.images.image_files import encode, scene, scene_image
from tests.support.limits import make_limits
from training.config import ModelConfig

MODEL = ModelConfig()
LIMITS = make_limits(max_images=30)
IMAGE = scene_image()
FLAT, ROWS = IMAGE.ravel().tolist(), IMAGE.tolist()
PNG = encode(scene(), "PNG")
TEXT = base64.b64encode(PNG).decode()


def read_images(body, content_type="application/json", *, model=MODEL, invert=False, limits=LIMITS):
    """Return the images of a body, which is written as JSON unless it is bytes already."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    payload = asyncio.run(parse_payload(body, content_type=content_type, field="images", model=model, limits=limits))
    return images_from(payload, model=model, limits=limits, invert=invert)


JSON_BODIES = {
    "a flat image": ([FLAT], 1),
    "an image of rows": ([ROWS], 1),
    "a file": ([TEXT], 1),
    "one flat image": (FLAT, 1),
    "one image of rows": (ROWS, 1),
    "one file": (TEXT, 1),
    "flat images": ([FLAT] * 3, 3),
    "images of rows": ([ROWS] * 3, 3),
    "as many flat images as rows": ([FLAT] * 28, 28),
    "files": ([TEXT] * 3, 3),
    "rows and flat": ([ROWS, FLAT, ROWS], 3),
    "flat and rows": ([FLAT, ROWS], 2),
    "files and numbers": ([FLAT, TEXT, ROWS, TEXT], 4),
}
OTHER_BODIES = {
    "PNG": (PNG, "image/png", 1),
    "PNG called JPEG": (PNG, "image/jpeg", 1),
    "PNG called anything": (PNG, "Image/X-Whatever; a=b", 1),
    "npy of floats": (dump_npy(IMAGE), "application/x-npy", 1),
    "npy of several": (dump_npy(np.stack([IMAGE] * 3)), "Application/X-NPY", 3),
}


EXPECTED = {False: IMAGE.ravel(), True: 1 - IMAGE.ravel()}
"""The image by whether it is inverted."""


@pytest.mark.parametrize("invert", EXPECTED)
@pytest.mark.parametrize("name", JSON_BODIES)
def test_images_of_json(name, invert):
    """Numbers, rows, files, and any mixture of them give the image that each stands for; 1 - x with invert."""
    value, count = JSON_BODIES[name]

    images = read_images({"images": value}, invert=invert)

    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, [EXPECTED[invert]] * count)


@pytest.mark.parametrize("invert", EXPECTED)
@pytest.mark.parametrize("name", OTHER_BODIES)
def test_images_of_other_bodies(name, invert):
    """Arrays and files as the whole body give the same images; a file's bytes count, not its subtype."""
    body, content_type, count = OTHER_BODIES[name]

    images = read_images(body, content_type, invert=invert)

    np.testing.assert_array_equal(images, [EXPECTED[invert]] * count)


def test_images_are_in_order():
    """Files and numbers keep their places when they are mixed."""
    levels = [i / 5 for i in range(6)]
    value = [
        base64.b64encode(encode(Image.new("L", (9, 9), round(level * 255)), "PNG")).decode() if i % 2 else [level] * 784
        for i, level in enumerate(levels)
    ]

    images = read_images({"images": value})

    np.testing.assert_allclose(images[:, 0], levels, atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/jpeg;charset=x;BASE64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"data:image/png;base64,{quote(TEXT, safe='')}",
        f"data:image/png;base64,{TEXT[:8]}%0D%0a%20{TEXT[8:].replace('+', '%2b')}",
        f"  {TEXT}\n",
        "\r\n".join(TEXT[start : start + 76] for start in range(0, len(TEXT), 76)),
        f"data:image/png;base64, {TEXT[:9]} {TEXT[9:]}",
        f" data:image/png; base64,{TEXT}",
    ],
    ids=[
        "data URL",
        "capitals",
        "no type",
        "percent",
        "space and lowercase in percent",
        "space around",
        "lines",
        "space in data URL",
        "space before data URL and base64",
    ],
)
def test_images_of_base64_in_other_forms(text):
    """A data: URL is read like its base64, and white space anywhere doesn't matter."""
    np.testing.assert_array_equal(read_images({"images": [text]}), [IMAGE.ravel()])


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/a.png",
        "file:///etc/passwd",
        "data:image/png,abc",
        "data:image/png;base64",
        TEXT[:-3],
        TEXT + "AA=A",
        TEXT.replace("A", "*"),
        "é",
        "\u0000" * 500,
    ],
)
def test_images_of_bad_base64(text):
    """Text that isn't base64, above all a URL, is refused with its place, and echoed only in part."""
    with pytest.raises(MalformedBodyError, match=r"body\.images\[1\] is .* expected an image file in base64") as caught:
        read_images({"images": [FLAT, text]})

    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["", "AAAA", base64.b64encode(b"<svg/>").decode()])
def test_images_of_base64_of_no_picture(text):
    """Base64 of something else is refused with its place."""
    with pytest.raises(MalformedBodyError, match=r"body\.images\[0\] .*PNG, JPEG"):
        read_images({"images": [text]})


@pytest.mark.parametrize(
    ("value", "where", "why"),
    [
        (None, "body.images", "is null"),
        (5, "body.images", "has shape ()"),
        ({"a": 1}, "body.images", "is an object"),
        ([], "body.images", "holds no images"),
        ([[]], "body.images", "has shape (1, 0)"),
        ([FLAT[:-1]], "body.images", "has shape (1, 783)"),
        ([FLAT, FLAT[:-1]], "body.images[1]", "is a list of 783"),
        ([FLAT, [*FLAT[:-1], "0"]], "body.images[1][783]", "is a string"),
        ([FLAT, [*FLAT[:-1], True]], "body.images[1][783]", "is a boolean"),
        ([ROWS, [*ROWS[:-1], None]], "body.images[1][27]", "is null"),
        ([FLAT, [*FLAT[:-1], 2]], "body.images[1]", "has the value 2.0 at pixel 783"),
        ([FLAT, [-1, *FLAT[1:]]], "body.images[1]", "has the value -1.0 at pixel 0"),
        ([*FLAT[:-1], 255], "body.images", "has the value 255.0 at pixel 783"),
        ([TEXT, FLAT[:-1]], "body.images[1]", "has shape (783,)"),
        ([TEXT, [FLAT]], "body.images[1]", "has shape (1, 784)"),
        ([TEXT, 1], "body.images[1]", "has shape ()"),
        ([TEXT, None], "body.images[1]", "is null"),
        ([TEXT, [*FLAT[:-1], 2]], "body.images[1]", "has the value 2.0 at pixel 783"),
        ([ROWS, FLAT, [2, *FLAT[1:]]], "body.images[2]", "has the value 2.0 at pixel 0"),
    ],
)
def test_images_of_wrong_values(value, where, why):
    """Wrong values in JSON are named by their path."""
    with pytest.raises(InvalidValueError) as caught:
        read_images({"images": value})

    (error,) = caught.value.errors
    assert error.where == where
    assert error.why.startswith(why)


@pytest.mark.parametrize("item", [FLAT, ROWS, TEXT, "not base64"])
def test_images_over_the_limit(item):
    """A batch over the limit is refused before any file in it is decoded."""
    with pytest.raises(TooLargeError, match=r"body\.images holds 31 items: send at most 30"):
        read_images({"images": [item] * 31})


def test_images_over_the_limit_of_pixels():
    """All files of a request share the limit of pixels, whatever stands between them."""
    limits = make_limits(max_pixels=3 * 784)

    images = read_images({"images": [TEXT, TEXT, FLAT, TEXT]}, limits=limits)
    with pytest.raises(TooLargeError, match=r"body\.images\[4\] brings"):
        read_images({"images": [TEXT, TEXT, FLAT, TEXT, TEXT]}, limits=limits)

    assert len(images) == 4


def test_more_numbers_than_a_batch_has_are_refused_unparsed():
    """A body of millions of numbers, which would delay all other requests, isn't parsed."""
    body = b'{"images": [' + b"0," * (LIMITS.max_images * MODEL.image_dim + 10_001)

    with pytest.raises(TooLargeError, match="send at most 30 items"):
        read_images(body)


@pytest.mark.parametrize(
    ("content_type", "match"),
    [("application/json", "JSON"), ("application/x-npy", "npy"), ("image/png", "body is empty")],
)
def test_images_of_an_empty_body(content_type, match):
    """An empty body is malformed under every content type."""
    with pytest.raises(MalformedBodyError, match=match):
        read_images(b"", content_type)


json_images = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats(0, 1) | st.sampled_from([TEXT, "x", "data:,"]),
    lambda inner: st.lists(inner, max_size=4) | st.builds(lambda item, n: [item] * n, inner, st.sampled_from([6, 31])),
    max_leaves=10,
)


@given(json_images)
def test_images_of_any_json(value):
    """Any JSON value gives images in [0, 1] or an error that is the client's."""
    model = ModelConfig(image_shape=(2, 3))

    try:
        images = read_images({"images": value}, model=model)
    except (InvalidValueError, MalformedBodyError, TooLargeError):
        return
    assert images.shape[1:] == (6,)
    assert 0 <= images.min() <= images.max() <= 1
