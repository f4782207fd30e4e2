"""Request IDs: the client's, or a generated one; and the status of a request whose client has disconnected."""

import random
import re
from collections.abc import Iterable
from typing import Final

CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's status for a response that the client didn't wait for, used in metrics."""

_VISIBLE_ASCII: Final = re.compile(rb"[!-~]{1,128}")


def fresh_request_id() -> str:
    """Return an ID for a request without a valid one."""
    # Not a secret: the operating system's generator, which releases the GIL, would take twenty times as long.
    return f"{random.getrandbits(64):016x}"


def read_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the first valid ID in the headers of an ASGI scope, or else a generated one."""
    return choose_request_id(value for name, value in headers if name == b"x-request-id")


def choose_request_id(candidates: Iterable[bytes]) -> str:
    """Return the first valid ID among those that a client sent, or else a generated one."""
    for value in candidates:
        if _VISIBLE_ASCII.fullmatch(value):
            return value.decode()
    return fresh_request_id()
