"""A request's body by its Content-Type, and the images or latents in it. Reads no stream and no query."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from app.codecs.arrays import as_image, as_images, as_latents, check_count
from app.codecs.base64_files import decode_base64
from app.codecs.body import Body
from app.codecs.forms import parse_form
from app.codecs.json_values import may_hold_booleans, numbers, parse_object
from app.codecs.limits import Limits
from app.codecs.npy import parse_npy
from app.codecs.pictures import PictureFile, parse_pictures
from app.codecs.wording import glimpse, wrong_value
from app.exceptions import TooLargeError, UnsupportedContentError
from training.config import ModelConfig

_DEFAULT_LIMITS = Limits()

# Options beside the numbers, and commas within data: URLs.
_MAX_OTHER_VALUES = 10_000

_READABLE = {
    "images": "application/json, application/x-npy, multipart/form-data, or an image type such as image/png",
    "latents": "application/json or application/x-npy",
}
_READABLE["ends"] = _READABLE["images"]

_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A member of a JSON object: lists of numbers, strings of base64, or whatever else a client sends."""

    where: str
    """Path of the member, such as `body.images`."""

    value: object
    may_be_boolean: bool = True
    """Whether anything in it may be one."""

    def numbers(self) -> Float64[ndarray, "..."]:
        """Return it as an array; errors are those of `app.codecs.json_values.numbers`."""
        return numbers(self.value, where=self.where, may_be_boolean=self.may_be_boolean)


PictureFiles = tuple[PictureFile, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """A parsed body, whose values nobody has checked yet."""

    options: Mapping[str, object]
    """JSON members beside the images or latents; empty for other kinds of body."""

    value: JsonValue | ndarray | PictureFiles
    """The images or latents: JSON, the array of a npy file, or image files."""


async def parse_payload(
    body: Body, *, content_type: str | None, field: str, model: ModelConfig, limits: Limits = _DEFAULT_LIMITS
) -> Payload:
    """Return the body parsed as its content type says; `field` is what it should hold.

    That is `images`, `latents`, or `ends`: the one or the other.

    Raises:
        UnsupportedContentError: The content type isn't read here, or there is none.
        MalformedBodyError: The body isn't what its content type says.
        InvalidValueError: A JSON object or form lacks the field, or an array holds no plain numbers.
        TooLargeError: A form has too many files, or JSON more lists or numbers than any batch has.
    """
    payload = parse_plain(body, content_type=content_type, field=field, model=model, limits=limits)
    if payload is not None:
        return payload
    media_type = _media_type(content_type)
    if field != "latents" and media_type == "multipart/form-data":
        return Payload({}, await parse_form(body, content_type=content_type or "", limits=limits))
    # SVG is a program more than a picture: it may fetch and run things.
    if field != "latents" and media_type.startswith("image/") and not media_type.startswith("image/svg"):
        return Payload({}, (PictureFile("body", bytes(body)),))
    found = f"Content-Type is {glimpse(media_type)}" if content_type else "the request has no Content-Type"
    raise UnsupportedContentError(f"{found}: {field} are read from {_READABLE[field]}")


def parse_plain(
    body: Body, *, content_type: str | None, field: str, model: ModelConfig, limits: Limits = _DEFAULT_LIMITS
) -> Payload | None:
    """Return a body of JSON or npy as `parse_payload` does; None where it is of another kind."""
    media_type = _media_type(content_type)
    if media_type == "application/json":
        _check_charset(content_type or "")
        _check_size(body, model, limits)
        return _parse_json(body, field)
    return Payload({}, parse_npy(body)) if media_type == "application/x-npy" else None


def has_files(payload: Payload) -> bool:
    """Tell whether there are files of pictures in it, each of which can be a thousand times as large as its bytes."""
    value = payload.value
    if isinstance(value, ndarray):
        return False
    if not isinstance(value, JsonValue):
        return True
    items = value.value if isinstance(value.value, list) else [value.value]
    return str in set(map(type, items))


def images_from(
    payload: Payload, *, model: ModelConfig, limits: Limits, invert: bool
) -> Float32[ndarray, "batch pixels"]:
    """Return the payload's images in [0, 1]; with `invert` 1 - x, for drawings that are dark on light.

    Decoding image files takes milliseconds each. The result may be read-only.

    Raises:
        InvalidValueError: A shape, type or value is wrong.
        MalformedBodyError: An image file can't be decoded.
        TooLargeError: There are too many images, or too many pixels in image files.
    """
    value = payload.value
    if isinstance(value, JsonValue) and isinstance(value.value, str):
        value = (PictureFile(value.where, decode_base64(value.value, where=value.where)),)
    if isinstance(value, tuple):
        check_count(len(value), limits=limits, where="body.files")
        return parse_pictures(value, model=model, limits=limits, invert=invert).reshape(-1, model.image_dim)
    if isinstance(value, ndarray):
        images = as_images(value, model=model, limits=limits, where="body")
    elif isinstance(value.value, list) and _is_mixed(value.value):
        return _mixed_images(value.value, where=value.where, model=model, limits=limits, invert=invert)
    else:
        images = as_images(value.numbers(), model=model, limits=limits, where=value.where)
    return np.float32(1) - images if invert else images


def ends_from(
    payload: Payload, *, model: ModelConfig, limits: Limits, invert: bool
) -> tuple[Literal["images", "latents"], Float32[ndarray, "2 values"]]:
    """Return what the payload's two items are, and the items: as `images_from` or `latents_from` gives them.

    An array of a npy file holds latents where its rows are as long as latents, and no image is so small.

    Raises:
        InvalidValueError: There aren't two, or one is wrong.
    """
    value = payload.value
    if isinstance(value, JsonValue):
        are_latents = value.where == "body.latents"
    else:
        are_latents = isinstance(value, ndarray) and value.shape == (2, model.latent_dim) != (2, model.image_dim)
    if are_latents:
        ends = latents_from(payload, model=model, limits=limits)
    else:
        ends = images_from(payload, model=model, limits=limits, invert=invert)
    if len(ends) != 2:
        raise wrong_value(
            value.where if isinstance(value, JsonValue) else "body",
            f"holds {len(ends)}: expected two, between which to interpolate",
        )
    return "latents" if are_latents else "images", ends


def latents_from(payload: Payload, *, model: ModelConfig, limits: Limits) -> Float32[ndarray, "batch latent"]:
    """Return the payload's latents, as float32.

    Raises:
        InvalidValueError: A shape, type or value is wrong.
        TooLargeError: There are too many latents.
    """
    value = payload.value
    if isinstance(value, tuple):
        raise UnsupportedContentError(f"the body is an image file: latents are read from {_READABLE['latents']}")
    if isinstance(value, ndarray):
        return as_latents(value, model=model, limits=limits, where="body")
    return as_latents(value.numbers(), model=model, limits=limits, where=value.where)


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _check_charset(content_type: str) -> None:
    match = _CHARSET.search(content_type)
    if match and match[1].lower() not in ("utf-8", "utf8"):
        raise UnsupportedContentError(f"the charset of the JSON is {glimpse(match[1])}: send it as utf-8")


def _check_size(body: Body, model: ModelConfig, limits: Limits) -> None:
    # Parsing holds Python's lock, so all others would wait for it; counting commas takes a hundredth of that.
    most = limits.max_images * max(model.image_dim, model.latent_dim) + _MAX_OTHER_VALUES
    if len(body) > most and body.count(b",") > most:
        raise TooLargeError(f"the body has over {most} values: send at most {limits.max_images} items at a time")


def _parse_json(body: Body, field: str) -> Payload:
    members = parse_object(body)
    if field == "ends":
        field = _find_ends(members)
    if field not in members:
        raise wrong_value(f"body.{field}", f'is missing: expected an object such as {{"{field}": [...]}}')
    options = {name: value for name, value in members.items() if name != field}
    return Payload(options, JsonValue(f"body.{field}", members[field], may_hold_booleans(body)))


def _find_ends(members: Mapping[str, object]) -> str:
    given = [field for field in ("images", "latents") if field in members]
    if len(given) != 1:
        expected = 'expected an object with two images, {"images": [..., ...]}, or two latents, {"latents": [..., ...]}'
        found = "both images and latents" if given else "neither images nor latents"
        raise wrong_value("body", f"has {found}: {expected}")
    return given[0]


def _is_mixed(items: list[object]) -> bool:
    """Tell whether there are files among the items, or both flat images and images of rows."""
    types = set(map(type, items))
    if str in types:
        return True
    lists = items if types == {list} else [item for item in items if isinstance(item, list)]
    firsts = set(map(type, map(itemgetter(0), filter(None, lists))))  # type: ignore[arg-type]  # they are lists
    return list in firsts and len(firsts) > 1


def _mixed_images(
    items: list[object], *, where: str, model: ModelConfig, limits: Limits, invert: bool
) -> Float32[ndarray, "batch pixels"]:
    """Return images of which each is a file in base64, a flat list of numbers, or a list of rows."""
    check_count(len(items), limits=limits, where=where)
    images = np.empty((len(items), model.image_dim), np.float32)
    files: dict[int, PictureFile] = {}
    for index, item in enumerate(items):
        item_where = f"{where}[{index}]"
        if isinstance(item, str):
            files[index] = PictureFile(item_where, decode_base64(item, where=item_where))
        else:
            image = as_image(numbers(item, where=item_where), model=model, where=item_where)
            images[index] = np.float32(1) - image if invert else image
    # Together, because they share the limit of pixels.
    pictures = parse_pictures(list(files.values()), model=model, limits=limits, invert=invert)
    images[list(files)] = pictures.reshape(-1, model.image_dim)
    return images
