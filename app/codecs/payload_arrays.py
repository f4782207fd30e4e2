"""Makes arrays of a parsed body: images or latents, checked, float32, batch first. Knows no content types."""

from operator import itemgetter
from typing import Literal, cast

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.codecs.arrays import as_image, as_images, as_latents, check_count, image_shapes
from app.codecs.error_messages import invalid_value
from app.codecs.image_files import ImageFile, decode_base64, decode_images
from app.codecs.json_arrays import numbers
from app.codecs.limits import Limits
from app.codecs.payload import READABLE, JsonValue, Payload
from app.errors import InvalidValueError, UnsupportedContentError
from training.config import ModelConfig


def images_from(
    payload: Payload, *, model: ModelConfig, limits: Limits, invert: bool | None, centre: bool = False
) -> Float32[ndarray, "batch pixels"]:
    """Return the payload's images in [0, 1]; with `invert` 1 - x, for drawings that are dark on light.

    With `centre` the drawings in image files are cropped and centered; `invert` may then be None, to decide by the
    image. Decoding image files takes milliseconds each. The result may be read-only.

    Raises:
        InvalidValueError: A shape, type or value is wrong, or there is `centre` and an image that is no file.
        MalformedBodyError: An image file can't be decoded.
        TooLargeError: There are too many images, or too many pixels in image files.
    """
    value = payload.value
    if isinstance(value, ndarray):
        images = as_images(value, model=model, limits=limits, where="body")
    elif isinstance(value, tuple):
        check_count(len(value), limits=limits, where="body.files")
        decoded = decode_images(value, model=model, limits=limits, invert=invert, centre=centre)
        return decoded.reshape(-1, model.image_dim)
    elif isinstance(value.value, str):
        file = ImageFile(value.where, decode_base64(value.value, where=value.where))
        decoded = decode_images([file], model=model, limits=limits, invert=invert, centre=centre)
        return decoded.reshape(-1, model.image_dim)
    elif isinstance(value.value, list) and _is_mixed(value.value):
        return _mixed_images(value, model=model, limits=limits, invert=invert, centre=centre)
    else:
        images = as_images(value.numbers(), model=model, limits=limits, where=value.where)
    if centre:
        raise _not_a_file(_where(value))
    return np.float32(1) - images if invert else images


def ends_from(
    payload: Payload, *, model: ModelConfig, limits: Limits, invert: bool | None, centre: bool = False
) -> tuple[Literal["images", "latents"], Float32[ndarray, "2 values"]]:
    """Return the kind of the payload's two items, and the items as `images_from` or `latents_from` returns them.

    The array of an npy file holds latents if its rows are as long as latents, unless images are as small.

    Raises:
        InvalidValueError: There aren't two, or one is wrong.
    """
    value = payload.value
    if isinstance(value, JsonValue):
        are_latents = value.where == "body.latents"
    else:
        are_latents = isinstance(value, ndarray) and value.shape == (2, model.latent_dim) != (2, model.image_dim)
        if isinstance(value, ndarray) and not are_latents and value.shape[1:] not in image_shapes(model):
            height, width = model.image_shape
            images = f"(2, {model.image_dim}) or (2, {height}, {width})"
            raise invalid_value(
                "body",
                f"has shape {value.shape}: expected two images, {images}, or two latents, (2, {model.latent_dim})",
            )
    if (isinstance(value, ndarray) and len(value) == 0) or (isinstance(value, JsonValue) and value.value == []):
        raise _wrong_count(value, 0)
    if are_latents:
        if centre:
            raise _not_a_file(_where(value))
        if invert:
            raise invalid_value("invert", "is true, but these are latents: leave it out, or send images")
        ends = latents_from(payload, model=model, limits=limits)
    else:
        ends = images_from(payload, model=model, limits=limits, invert=invert, centre=centre)
    if len(ends) != 2:
        raise _wrong_count(value, len(ends))
    return "latents" if are_latents else "images", ends


def latents_from(payload: Payload, *, model: ModelConfig, limits: Limits) -> Float32[ndarray, "batch latent"]:
    """Return the payload's latents, as float32.

    Raises:
        InvalidValueError: A shape, type or value is wrong.
        TooLargeError: There are too many latents.
    """
    value = payload.value
    if isinstance(value, tuple):
        raise UnsupportedContentError(f"the body is an image file: latents are read from {READABLE['latents']}")
    if isinstance(value, ndarray):
        return as_latents(value, model=model, limits=limits, where="body")
    return as_latents(value.numbers(), model=model, limits=limits, where=value.where)


def _is_mixed(items: list[object]) -> bool:
    """Return whether the items include image files, or both flat images and images of rows."""
    types = set(map(type, items))
    if str in types:
        return True
    lists = items if types == {list} else [item for item in items if isinstance(item, list)]
    firsts = set(map(type, map(itemgetter(0), filter(None, lists))))  # type: ignore[arg-type]  # they are lists
    return list in firsts and len(firsts) > 1


def _mixed_images(
    value: JsonValue, *, model: ModelConfig, limits: Limits, invert: bool | None, centre: bool
) -> Float32[ndarray, "batch pixels"]:
    """Return images of which each is a file in base64, a flat list of numbers, or a list of rows."""
    items, where = cast("list[object]", value.value), value.where
    check_count(len(items), limits=limits, where=where)
    images = np.empty((len(items), model.image_dim), np.float32)
    files: dict[int, ImageFile] = {}
    for index, item in enumerate(items):
        item_where = f"{where}[{index}]"
        if isinstance(item, str):
            files[index] = ImageFile(item_where, decode_base64(item, where=item_where))
        elif centre:
            raise _not_a_file(item_where)
        else:
            image = as_image(numbers(item, where=item_where), model=model, where=item_where)
            images[index] = np.float32(1) - image if invert else image
    # Together, because they share the limit of pixels.
    decoded = decode_images(list(files.values()), model=model, limits=limits, invert=invert, centre=centre)
    images[list(files)] = decoded.reshape(-1, model.image_dim)
    return images


def _where(value: JsonValue | ndarray | tuple[ImageFile, ...]) -> str:
    return value.where if isinstance(value, JsonValue) else "body"


def _wrong_count(value: JsonValue | ndarray | tuple[ImageFile, ...], count: int) -> InvalidValueError:
    return invalid_value(_where(value), f"holds {count}: expected two, to interpolate between")


def _not_a_file(where: str) -> InvalidValueError:
    return invalid_value(
        where,
        "holds numbers, but centre=true is for image files: send the drawing as a PNG, or leave out centre",
    )
