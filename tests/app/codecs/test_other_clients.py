"""Bodies as other programs write them: arrays without a content type, npz, base64 of other libraries, HEIC."""

import asyncio
import base64
import io
import json
import sys

import numpy as np
import pytest

from app.codecs.image_files import decode_image
from app.codecs.npy import dump_npy
from app.codecs.payload import parse_payload
from app.codecs.payload_arrays import images_from
from app.errors import UnsupportedContentError
from tests.support.images.image_files import encode, scene, scene_image, scenes
from tests.support.limits import make_limits
from training.config import ModelConfig

MODEL, LIMITS = ModelConfig(), make_limits()
STACK = np.stack([scene_image(), scene_image().T])


def read_images(body, content_type):
    """Return the images of a body."""
    payload = asyncio.run(parse_payload(body, content_type=content_type, field="images", model=MODEL, limits=LIMITS))
    return images_from(payload, model=MODEL, limits=LIMITS, invert=False).reshape(-1, 28, 28)


def npz(save):
    """Return an npz file of one array."""
    file = io.BytesIO()
    save(file, STACK)
    return file.getvalue()


@pytest.mark.parametrize("content_type", [None, "", "application/octet-stream", "application/x-npy"])
@pytest.mark.parametrize(
    "body", [dump_npy(STACK), npz(np.savez), npz(np.savez_compressed)], ids=["npy", "npz", "packed"]
)
def test_arrays_are_recognized(body, content_type):
    """An npy or npz file is read whether its content type says so, says nothing, or is absent."""
    np.testing.assert_array_equal(read_images(body, content_type), STACK)


@pytest.mark.parametrize(
    "content_type",
    [None, "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"],
)
@pytest.mark.parametrize("name", scenes())
def test_image_files_are_recognized(name, content_type):
    """An image file is read whether its content type says so or says nothing, as with `curl --data-binary`."""
    body = scenes()[name]

    np.testing.assert_array_equal(read_images(body, content_type), read_images(body, "image/png"))


@pytest.mark.parametrize("content_type", [None, "application/octet-stream"])
def test_other_bodies_need_a_content_type(content_type):
    """Anything else without a content type is refused, with the types that are read."""
    with pytest.raises(UnsupportedContentError, match="images are read from application/json"):
        read_images(b'{"images": []}', content_type)


@pytest.mark.parametrize("encode_text", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("is_padded", [True, False])
@pytest.mark.parametrize("size", [28, 29, 30, 31])
def test_base64_of_either_alphabet(encode_text, size, is_padded):
    """base64 is read in the standard and the URL-safe alphabet, with and without padding."""
    png = encode(scene(size), "PNG", pnginfo=None) + b"\xfb\xff\xfe"
    text = encode_text(png).decode().rstrip("=") if not is_padded else encode_text(png).decode()

    images = read_images(json.dumps({"images": [text]}).encode(), "application/json")

    np.testing.assert_array_equal(images[0], decode_image(png, model=MODEL, limits=LIMITS, invert=False, where="body"))


def test_heic_without_its_extra(monkeypatch):
    """Without pillow-heif the error names the extra that reads HEIC."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    with pytest.raises(UnsupportedContentError, match=r"body is HEIC, .*run `pip install 'triptych\[heic\]'`"):
        read_images(scenes()["HEIC"], "image/heic")
