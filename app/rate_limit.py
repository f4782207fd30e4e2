"""How often one client may ask, by its API key or else its address. Not there where no limit is set."""

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import answer_error
from app.exceptions import RateLimitError
from app.keys import Keys
from app.middleware import OPEN_PATHS, find_key


class RateLimitMiddleware:
    """Refuse the requests of clients that ask more often than the limit, except for the health checks."""

    def __init__(self, app: ASGIApp, *, limit: str, keys: Keys) -> None:
        self._app = app
        self._limit = parse(limit)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        client = self._identify(scope)
        if self._limiter.hit(self._limit, client):
            await self._app(scope, receive, send)
            return
        window = self._limiter.get_window_stats(self._limit, client)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        error = RateLimitError(
            f"you ask more often than {self._limit}, which is all that this server takes of one client: "
            f"send this again in {seconds} s",
            retry_after_s=seconds,
        )
        await answer_error(error, request_id=scope["state"]["request_id"])(scope, receive, send)

    def _identify(self, scope: Scope) -> str:
        # A key that isn't known counts for nothing: whoever guesses keys has one address.
        if key := find_key(scope, self._keys):
            return f"key {key.decode()}"
        host, _ = scope["client"] or ("", 0)
        return f"address {host}"
