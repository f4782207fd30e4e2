"""Files inside JSON strings: base64, or a `data:` URL. Fetches nothing from any other URL."""

import binascii

from app.codecs.wording import glimpse
from app.exceptions import MalformedBodyError


def decode_base64(text: str, *, where: str) -> bytes:
    """Return the bytes of base64 text, in which white space is passed over.

    Raises:
        MalformedBodyError: It isn't base64, nor a `data:` URL of base64.
    """
    encoded = text
    if text[:5].lower() == "data:":
        media_type, comma, encoded = text.partition(",")
        if not comma or not media_type.rstrip().lower().endswith(";base64"):
            raise _malformed(text, where)
    try:
        return binascii.a2b_base64("".join(encoded.split()), strict_mode=True)
    except ValueError:
        raise _malformed(text, where) from None


def _malformed(text: str, where: str) -> MalformedBodyError:
    return MalformedBodyError(
        f"{where} is {glimpse(text)}: expected an image file in base64, or a data: URL of it, and no other URL"
    )
