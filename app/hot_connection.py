"""A connection whose plain requests take the hot path, from their bytes to their answers; all others it parses."""

from typing import Any, cast

from fastapi import Response

from app.connection import Connection
from app.heads import MAX_HEAD_BYTES
from app.hot_path import MAX_BODY_BYTES, HotPath
from app.hot_request import HotRequest
from app.whole_answers import join_answer


class HotConnection(Connection):
    """A client's connection, before whose parser there is a shorter way."""

    __slots__ = (
        "_answered",
        "_begun",
        "_early",
        "_held",
        "_hot_path",
        "_hot_request",
        "_is_in_request",
        "_parsed",
        "_parsed_bytes",
        "_unwanted_bytes",
    )

    def __init__(self, *arguments: Any, hot_path: HotPath, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hot_path = hot_path
        self._hot_request: HotRequest | None = None
        self._held = b""
        """A request with a known head, of whose body some hasn't come."""

        self._early: list[bytes] = []
        """What was sent ahead of a hot request's answer."""

        self._is_in_request = False
        """Whether the parser is."""

        self._answered = 0.0
        """When the last hot request was, by the event loop's clock."""

        self._unwanted_bytes = 0
        """How much of a refused request's body is still to come."""

        self._parsed = b""
        """What the parser had first of a request whose head may be learned."""

        self._parsed_bytes = 0
        """How much it has in all."""

        self._begun = 0
        """How many requests it has found in that."""

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self._unwanted_bytes:
            unwanted = min(len(data), self._unwanted_bytes)
            self._unwanted_bytes -= unwanted
            data = data[unwanted:]
            if not data:
                return
        if self._hot_request is not None:
            # Answers go out in the order of their requests.
            self._early.append(data)
            self.flow.pause_reading()
            return
        data = self._held + data
        self._held = b""
        if self._is_between_requests:
            self._begin(data)
        else:
            self._parse(data)

    def on_message_begin(self) -> None:
        """Count the requests in what has come."""
        self._begun += 1
        self._is_in_request = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note where a request ends, be it answered before or not."""
        self._is_in_request = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is left of it."""
        if self._hot_request is not None:
            self._hot_request.drop()
            self._hot_request = None
        super().connection_lost(exc)

    def check(self, now: float) -> None:
        """Let the parser have what waits for its body's rest, and cut the client off if the server waits too long."""
        self._parse_held()
        if self._hot_request is None:
            super().check(now)

    def shutdown(self) -> None:
        """Close the connection once all that was sent before is answered; may be called again and again."""
        self._parse_held()
        if self._hot_request is None:
            super().shutdown()
        else:
            self._is_draining = True

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing was asked for long; a timer for each hot request would take too much time."""
        self.timeout_keep_alive_task = None
        left_s = self._answered + self.timeout_keep_alive - self.loop.time()
        if self._hot_request is not None or self._held:
            left_s = self.timeout_keep_alive
        if left_s > 0:
            self._close_later(left_s)
        else:
            super().timeout_keep_alive_handler()

    @property
    def is_idle(self) -> bool:
        """Whether no request waits for its answer."""
        return self._hot_request is None and super().is_idle

    @property
    def _is_between_requests(self) -> bool:
        """Whether the next byte is a request's first, or follows what is held, and may pass by the parser."""
        if self._is_crowded or self._is_draining or self._is_refused or self.flow.write_paused:
            return False
        return not self._is_in_request and (self.cycle is None or self.cycle.response_complete)

    def _begin(self, data: bytes) -> None:
        """Begin to answer what has come of a request, or leave it to the parser."""
        found = self._hot_path.find(data)
        if found is None:
            self._parsed = data[:MAX_HEAD_BYTES]
            self._parsed_bytes = 0
            self._begun = 0
            self._parse(data)
            return
        begun = self._hot_path.begin(found, self._answer)
        if isinstance(begun, HotRequest):
            self._hot_request = begun
        elif begun is not None:
            self._unwanted_bytes = found.missing
            self._answer(begun)
        elif found.missing and found.parts.body_length <= MAX_BODY_BYTES:
            self._held = data
        else:
            self._parsed = b""  # what is known needs no learning
            self._parse(data)

    def _close_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _parse_held(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._parse(held)

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if not self._parsed:
            return
        if self._parsed_bytes and len(self._parsed) < MAX_HEAD_BYTES:
            self._parsed += data[: MAX_HEAD_BYTES - len(self._parsed)]
        self._parsed_bytes += len(data)
        if self._begun > 1 or self._is_refused:
            self._parsed = b""
        elif self.cycle is not None and self.cycle.scope is self.scope and not self.cycle.more_body:
            if self.cycle.keep_alive:
                scope = cast("dict[str, Any]", self.scope)
                self._hot_path.learn(self._parsed, scope, nbytes=self._parsed_bytes, url=self.url)
            self._parsed = b""

    def _answer(self, response: Response) -> None:
        """Send the answer, and go on with what has come meanwhile."""
        self._hot_request = None
        if self.transport.is_closing():
            return
        is_last = self._is_draining and not self._early
        headers = [*self.server_state.default_headers, *response.raw_headers]
        if is_last:
            headers.append((b"connection", b"close"))
        whole = join_answer(response.status_code, headers, bytes(response.body))
        assert whole is not None, "the service's own headers are none that a client could have written"
        self.transport.write(whole)
        self.server_state.total_requests += 1
        if is_last:
            self.transport.close()
            return
        self._answered = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._close_later(self.timeout_keep_alive)
        if self._early:
            early = b"".join(self._early)
            self._early.clear()
            self.flow.resume_reading()
            self.data_received(early)
