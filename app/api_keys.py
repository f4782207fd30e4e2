"""The API keys that clients may authenticate with, from the settings and a file. Knows no HTTP."""

import hmac
import re
from collections.abc import Iterable
from typing import Final

from app.errors import StartupError
from app.service_address import KEY
from app.settings import Settings

PUBLIC_PATHS: Final = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
"""Routes that need no API key."""

PUBLIC_PAGES: Final = ("/", "/docs", "/guide", "/openapi.json")
"""Pages for browsers, which can't send a key when they open an address; the pages prompt for it."""

PUBLIC_FILES: Final = ("/web/", "/guide/", "/static-offline-docs/")
"""Path prefixes of their files."""

_COMMENT: Final = re.compile(r"(?:^|\s)#")


class ApiKeys:
    """The currently valid keys."""

    def __init__(self, settings: Settings) -> None:
        """Read them.

        Raises:
            StartupError: The file can't be read, or holds no good keys.
        """
        self._settings = settings
        self._keys = read_keys(settings)

    def __bool__(self) -> bool:
        """Return whether any key is set; without keys the service is open to anyone."""
        return bool(self._keys)

    def find(self, candidates: Iterable[str]) -> bytes | None:
        """Return the first valid key among those given, by comparison in constant time."""
        valid_keys = [key for text in candidates for key in self._keys if hmac.compare_digest(text.encode(), key)]
        return valid_keys[0] if valid_keys else None

    def is_valid(self, key: bytes) -> bool:
        """Return whether a key that `find` returned is still valid."""
        return key in self._keys

    def reload(self) -> None:
        """Read them again.

        Raises:
            StartupError: The file can't be read, or holds no good keys; the keys from before stay.
        """
        self._keys = read_keys(self._settings)


def read_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys of the settings, and of the file that they name.

    Raises:
        StartupError: The file can't be read, or holds no good keys.
    """
    keys = [key.get_secret_value() for key in settings.api_keys]
    path = settings.api_keys_file
    if path is None:
        return tuple(key.encode() for key in keys)
    where = f"TRIPTYCH_API_KEYS_FILE (--api-keys-file) is {str(path)!r}"
    if path.exists() and not path.is_file():
        raise StartupError(f"{where}, which is no regular file: a reload must be able to read it again")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't text in UTF-8"
        raise StartupError(f"{where}, which can't be read: {reason}") from error
    in_file = []
    for number, line in enumerate(lines, start=1):
        key = _COMMENT.split(line)[0].strip()
        if key and not KEY.fullmatch(key):
            raise StartupError(f"{where}, whose line {number} has a key of other than visible ASCII characters")
        in_file += [key] if key else []
    if not in_file:
        raise StartupError(f"{where}, which holds no key: write one a line")
    return tuple(key.encode() for key in [*keys, *in_file])
