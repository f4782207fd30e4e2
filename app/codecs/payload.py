"""Parses a request's body by its Content-Type. Reads no stream and no query, and checks no values."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float64
from numpy import ndarray
from numpy.lib.format import MAGIC_PREFIX

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.image_files import ImageFile
from app.codecs.json_arrays import may_hold_booleans, numbers, parse_object
from app.codecs.limits import Limits
from app.codecs.multipart import parse_form
from app.codecs.npy import parse_npy
from app.codecs.npz import MAGIC as NPZ_MAGIC
from app.codecs.npz import parse_npz
from app.codecs.other_files import name_kind
from app.errors import MalformedBodyError, TooLargeError, UnsupportedContentError
from training.config import ModelConfig
from training.counts import count_of
from training.data.image_formats import detect_format

# Options beside the numbers, and commas within data: URLs.
_MAX_OTHER_VALUES = 10_000

READABLE = {
    "images": "application/json, application/x-npy (npz too), multipart/form-data, or an image type such as image/png",
    "latents": "application/json or application/x-npy",
}
READABLE["ends"] = READABLE["images"]

# Sent by clients that don't know the type: tools of S3 send the third, and curl's --data-binary the last.
_UNKNOWN_TYPES = {"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"}
_ARRAY_TYPES = {*_UNKNOWN_TYPES, "application/x-npy", "application/x-npz", "application/zip"}
_MAX_SIGNATURE_BYTES = 256
_MAX_NPY_HEADER_BYTES = 4096 + 12

_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A member of a JSON object: lists of numbers, base64 strings, or anything else; unchecked."""

    where: str
    """Path of the member, such as `body.images`."""

    value: object
    may_be_boolean: bool = True
    """False if no value in it is a boolean."""

    def numbers(self) -> Float64[ndarray, "..."]:
        """Return it as an array; errors are those of `app.codecs.json_arrays.numbers`."""
        return numbers(self.value, where=self.where, may_be_boolean=self.may_be_boolean)


@dataclass(frozen=True, slots=True)
class Payload:
    """A parsed body, whose values aren't checked yet."""

    options: Mapping[str, object]
    """JSON members beside the images or latents; empty for other kinds of body."""

    value: JsonValue | ndarray | tuple[ImageFile, ...]
    """The images or latents: JSON, the array of an npy file, or image files."""


async def parse_payload(
    body: Body, *, content_type: str | None, field: str, model: ModelConfig, limits: Limits
) -> Payload:
    """Return the body parsed as its content type says; `field` is the expected content.

    That is `images`, `latents`, or `ends` for either of them. Without a content type, or with one that says nothing
    (such as `application/octet-stream`), an npy, npz or image file is recognized by its first bytes.

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
    if media_type in _ARRAY_TYPES:
        if body.startswith(NPZ_MAGIC):
            max_bytes = limits.max_images * max(model.image_dim, model.latent_dim) * 8 + _MAX_NPY_HEADER_BYTES
            return Payload({}, await asyncio.to_thread(parse_npz, body, max_bytes=max_bytes))
        if body.startswith(MAGIC_PREFIX) or media_type == "application/x-npz":
            return Payload({}, parse_npy(body))
    if field != "latents" and media_type == "multipart/form-data":
        return Payload({}, await parse_form(body, content_type=content_type or "", limits=limits))
    if field != "latents" and _is_image_file(body, media_type):
        return Payload({}, (ImageFile("body", bytes(body)),))
    problem = f"Content-Type is {truncated(media_type)}" if content_type else "the request has no Content-Type"
    if media_type in _UNKNOWN_TYPES and (kind := _name_kind(body)):
        problem = f"the body is {kind}"
    hint = (
        "; for JSON, send Content-Type: application/json"
        if body[:_MAX_SIGNATURE_BYTES].lstrip().startswith(b"{")
        else ""
    )
    raise UnsupportedContentError(f"{problem}: {field} are read from {READABLE[field]}{hint}")


def parse_plain(
    body: Body, *, content_type: str | None, field: str, model: ModelConfig, limits: Limits
) -> Payload | None:
    """Return a body of JSON or npy as `parse_payload` does; None if it is of another kind."""
    media_type = _media_type(content_type)
    if media_type == "application/json":
        _check_charset(content_type or "")
        _check_size(body, model, limits)
        try:
            return _parse_json(body, field)
        except MalformedBodyError as error:
            if (kind := _name_kind(body)) is None:
                raise
            problem = f"the body is {kind}, but Content-Type is application/json"
            raise MalformedBodyError(f"{problem}: send the content type of the file") from error
    if media_type != "application/x-npy":
        return None
    try:
        return Payload({}, parse_npy(body))
    except MalformedBodyError:
        # Only here, because most bodies are npy.
        if body.startswith(NPZ_MAGIC):
            return None
        raise


def has_files(payload: Payload) -> bool:
    """Return whether it holds image files, each of which may decode to a thousand times its size."""
    value = payload.value
    if isinstance(value, ndarray):
        return False
    if not isinstance(value, JsonValue):
        return True
    items = value.value if isinstance(value.value, list) else [value.value]
    return str in set(map(type, items))


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _name_kind(body: Body) -> str | None:
    """Return the kind of file that the body is, in words; None if its first bytes say nothing."""
    start = bytes(body[:_MAX_SIGNATURE_BYTES])
    return "an image file" if detect_format(start) is not None else name_kind(start)


def _is_image_file(body: Body, media_type: str) -> bool:
    if media_type in _UNKNOWN_TYPES:
        return detect_format(bytes(body[:_MAX_SIGNATURE_BYTES])) is not None
    # SVG is a program more than an image: it can load and run other files.
    return media_type.startswith("image/") and not media_type.startswith("image/svg")


def _check_charset(content_type: str) -> None:
    match = _CHARSET.search(content_type)
    if match and match[1].lower() not in ("utf-8", "utf8"):
        raise UnsupportedContentError(f"the charset of the JSON is {truncated(match[1])}: send it as utf-8")


def _check_size(body: Body, model: ModelConfig, limits: Limits) -> None:
    # Parsing holds the GIL, so all other requests would wait; counting commas takes a hundredth of the time.
    most = limits.max_images * max(model.image_dim, model.latent_dim) + _MAX_OTHER_VALUES
    if len(body) > most and body.count(b",") > most:
        allowed = count_of(limits.max_images, "item")
        raise TooLargeError(f"the body has over {most} values: send at most {allowed} at a time")


def _parse_json(body: Body, field: str) -> Payload:
    members = parse_object(body)
    if field == "ends":
        field = _find_ends(members)
    if field not in members:
        raise invalid_value(f"body.{field}", f'is missing: expected an object such as {{"{field}": [...]}}')
    options = {name: value for name, value in members.items() if name != field}
    return Payload(options, JsonValue(f"body.{field}", members[field], may_hold_booleans(body)))


def _find_ends(members: Mapping[str, object]) -> str:
    fields = [field for field in ("images", "latents") if field in members]
    if len(fields) != 1:
        expected = 'expected an object with two images, {"images": [..., ...]}, or two latents, {"latents": [..., ...]}'
        found = "both images and latents" if fields else "neither images nor latents"
        raise invalid_value("body", f"has {found}: {expected}")
    return fields[0]
