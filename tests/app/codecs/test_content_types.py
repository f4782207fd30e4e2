"""`app.codecs.payload`: the kind of a body by its content type, its options, and its latents."""

import asyncio
import json

import numpy as np
import pytest

from app.codecs.npy import dump_npy
from app.codecs.payload import parse_payload
from app.codecs.payload_arrays import images_from, latents_from
from app.errors import InvalidValueError, UnsupportedContentError
from tests.support.images.image_files import encode, scene, scene_image
from tests.support.limits import make_limits
from training.config import ModelConfig

MODEL = ModelConfig()
LIMITS = make_limits(max_images=30)
FLAT = scene_image().ravel().tolist()
PNG = encode(scene(), "PNG")


def parse(body, content_type="application/json", field="images"):
    """Parse a body, written as JSON unless it is bytes already."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(parse_payload(body, content_type=content_type, field=field, model=MODEL, limits=LIMITS))


def read_latents(body, content_type="application/json"):
    """Return the latents of a body."""
    return latents_from(parse(body, content_type, "latents"), model=MODEL, limits=LIMITS)


def test_options_stand_beside_the_images():
    """The other members of the object are the options, untouched; other bodies have none."""
    payload = parse({"seed": 7, "images": [FLAT], "sed": [None]})

    assert payload.options == {"seed": 7, "sed": [None]}
    assert parse(PNG, "image/png").options == {}
    assert parse(dump_npy(scene_image()), "application/x-npy").options == {}


@pytest.mark.parametrize("field", ["images", "latents"])
@pytest.mark.parametrize("body", [{}, {"Images": [], "latent": []}])
def test_json_without_the_field(field, body):
    """An object without its main member says which is missing."""
    with pytest.raises(InvalidValueError, match=f"is missing: .*{field}") as caught:
        parse(body, field=field)

    assert [error.where for error in caught.value.errors] == [f"body.{field}"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON;Charset="UTF8"'])
def test_json_in_utf8(content_type):
    """JSON may say that it is UTF-8."""
    payload = parse({"images": [FLAT]}, content_type)

    np.testing.assert_array_equal(images_from(payload, model=MODEL, limits=LIMITS, invert=False), [FLAT])


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "x" * 500])
def test_json_in_another_charset(charset):
    """JSON in another charset is refused."""
    with pytest.raises(UnsupportedContentError, match="send it as utf-8") as caught:
        parse({"images": [FLAT]}, f"application/json; charset={charset}")

    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        ";",
        "text/plain",
        "application/octet-stream",
        "application/npy",
        "application/pdf",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "image/svg+xml",
        "IMAGE/SVG+XML; charset=utf-8",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("field", ["images", "latents"])
def test_other_content_types(field, content_type):
    """Another content type, or none, is refused with the list of what is read."""
    with pytest.raises(UnsupportedContentError, match=f"{field} are read from application/json") as caught:
        parse(b"what is this?", content_type, field)

    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_of_another_content_type(content_type):
    """JSON isn't recognized by its first bytes, which any text may have; the error says how to send it."""
    with pytest.raises(UnsupportedContentError, match="for JSON, send Content-Type: application/json"):
        parse(b' {"images": []}', content_type)


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=x", "application/octet-stream"])
def test_latents_are_in_no_picture(content_type):
    """A route that takes latents reads neither image files nor forms."""
    with pytest.raises(UnsupportedContentError, match=r"latents are read from application/json or application/x-npy$"):
        parse(PNG, content_type, "latents")


def test_latents_of_a_payload_of_pictures():
    """Image files that were parsed as images aren't taken for latents later."""
    payload = parse(PNG, "image/png")

    with pytest.raises(UnsupportedContentError, match="the body is an image file"):
        latents_from(payload, model=MODEL, limits=LIMITS)


@pytest.mark.parametrize("shape", [(20,), (1, 20), (30, 20)])
def test_latents_of_json_and_npy(shape):
    """Latents come as numbers or as an array, one or several."""
    values = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    from_json = read_latents({"latents": values.tolist()})
    from_npy = read_latents(dump_npy(values), "application/x-npy")

    np.testing.assert_array_equal(from_json, values.reshape(-1, 20))
    np.testing.assert_array_equal(from_npy, values.reshape(-1, 20))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([[0] * 19], "body.latents"),
        ([[0] * 20, [0] * 19], "body.latents[1]"),
        ([[0] * 20, [*[0] * 19, "1"]], "body.latents[1][19]"),
        (["AAAA"], "body.latents[0]"),
        ([[0] * 20, [*[0] * 19, 1e39]], "body.latents[1]"),
    ],
)
def test_latents_of_wrong_values(value, where):
    """Wrong latents are named by their path."""
    with pytest.raises(InvalidValueError) as caught:
        read_latents({"latents": value})

    assert [error.where for error in caught.value.errors] == [where]
