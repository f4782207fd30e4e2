"""The address and the API key that a service is called with. Sends nothing."""

import re
from typing import Final
from urllib.parse import urlsplit

KEY: Final = re.compile(r"[!-~]+")

_ADDRESS: Final = re.compile(r"https?://[^/\s,?#@]+(/[\w.~!$&'()*+;=:@%/-]*)?", re.ASCII)


def is_address(text: str) -> bool:
    """Return whether a text is an address over HTTP without a user's name and password.

    Its host has no empty or overlong label and no control character, and its port is a number up to 65535.
    """
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        return bool(_ADDRESS.fullmatch(text)) and text.isprintable() and parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return False


def authorize(api_key: str | None) -> dict[str, str]:
    """Return the header that sends an API key, or none without a key.

    Raises:
        ValueError: The key can't be sent; the message doesn't show it.
    """
    if not api_key:
        return {}
    if not KEY.fullmatch(api_key):
        raise ValueError(
            "the API key has other characters than visible ASCII, such as a space or a line end: "
            "pass the key alone, as the service has it"
        )
    return {"Authorization": f"Bearer {api_key}"}
