"""Admits requests: the rate limit of each client, then its API key. Writes no response."""

import time
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from app.api.middleware.rate_limit import RateLimit
from app.api_keys import PUBLIC_FILES, PUBLIC_PAGES, PUBLIC_PATHS, ApiKeys
from app.errors import AuthenticationError, RateLimitError
from app.route_path import route_path

_PUBLIC: Final = frozenset(PUBLIC_PATHS + PUBLIC_PAGES)


class AccessControl:
    """Admits each request once."""

    def __init__(self, *, rate_limit: str | None, keys: ApiKeys) -> None:
        self._limit = None if rate_limit is None else RateLimit(rate_limit)
        self._keys = keys
        self.is_needed = bool(self._limit or keys)
        """True if there is a rate limit or a key; reloading keys changes neither."""

    def check(self, scope: Scope) -> None:
        """Count a request, and return if it is admitted; health checks, pages and their files always are.

        Raises:
            RateLimitError: The client, known by its key or else its address, sends more requests than the limit.
            AuthenticationError: It sends no valid API key, and the path needs one.
        """
        if not self.is_needed or scope["state"].get("is_admitted"):
            return
        path = route_path(scope)
        if path in _PUBLIC or path.startswith(PUBLIC_FILES):
            return
        key = find_key(scope, self._keys) if self._keys else None
        if self._limit:
            # A client that guesses keys is counted by its address.
            client = f"key {key.decode()}" if key else f"address {(scope['client'] or ('',))[0]}"
            if not self._limit.admit(client, time.time()):
                raise self._rate_limited(client)
        if self._keys and key is None:
            raise AuthenticationError(
                "the API key is missing or wrong; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
            )
        scope["state"]["is_admitted"] = True

    def _rate_limited(self, client: str) -> RateLimitError:
        assert self._limit is not None
        seconds = self._limit.seconds_until_admitted(client, time.time())
        return RateLimitError(
            f"more than {self._limit}, the limit of requests for each client: send this again in {seconds} s",
            retry_after_s=seconds,
        )


def find_key(scope: Scope, keys: ApiKeys) -> bytes | None:
    """Return the API key that a request was sent with, if it is valid."""
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    candidates = [headers.get("X-API-Key", "")] + ([token.strip()] if scheme.lower() == "bearer" else [])
    return keys.find(candidates)
