"""Parses a client's requests, with limits on their headers; no protocol upgrades. Responds to none.

uvicorn bounds no bytes before the end of a request's headers.
"""

import asyncio
from abc import abstractmethod
from typing import Any, Final, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api_keys import PUBLIC_PATHS
from app.observability.metrics import Metrics
from app.protocol.connection_limits import ConnectionLimits
from app.protocol.framing import find_framing_problem
from app.protocol.request_target import with_path

MAX_HEADERS: Final = 100
"""Maximum headers of a request: a short header takes twenty times its length in memory."""

_TOO_MANY: Final = f"the request has more than {MAX_HEADERS} headers: send fewer"

TOO_MANY_CONNECTIONS: Final = "the server has as many connections as it takes: try again in a second"

_OPEN_URLS: Final = tuple(path.encode() for path in PUBLIC_PATHS)


class RequestParser(HttpToolsProtocol):
    """A connection that parses requests and calls `_start_request` at the end of each one's headers."""

    # CPython optimizes access to only about thirty attributes of an object, and uvicorn already has almost as many.
    __slots__ = (
        "_chunk_bytes",
        "_has_body_bytes",
        "_header_bytes",
        "_in_headers",
        "_in_message",
        "_limits",
        "_max_header_bytes",
        "_messages",
        "_metrics",
        "_over_limit",
        "_parse_error",
        "_rejection",
        "headers_by_name",
    )

    def __init__(self, *arguments: Any, limits: ConnectionLimits, metrics: Metrics, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._max_header_bytes = limits.max_header_bytes
        self._metrics = metrics
        self._over_limit = False
        self._chunk_bytes = 0
        self._has_body_bytes = False
        """True if the bytes received last have some of a body."""

        self._header_bytes = 0
        """Bytes received before the end of a request's headers, or within a chunked body without any of its data."""

        self._in_message = False
        """True while the parser is within a request."""

        self._in_headers = True
        """True while the parser is before the end of a request's headers."""

        self._messages = 0
        """Number of requests found by the parser."""

        self.headers_by_name: dict[bytes, bytes] = {}
        """The headers parsed last; of several with one name, the last."""

        self._parse_error: tuple[int, str] | None = None
        """Status and detail of the reason for which parsing was stopped."""

        self._rejection: tuple[int, str] | None = None
        """Status and detail of the connection's last response; nothing is parsed once it is set."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio declares its base class
        """Note whether there are too many connections."""
        super().connection_made(transport)
        self._over_limit = len(self.connections) > self._limits.max_connections

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, unless a request was rejected or the headers become too long.

        An offer to change the protocol is ignored (RFC 9110, section 7.8). After one llhttp treats all following bytes
        as another protocol, including the request's body. So a new parser gets the request without the offer, rebuilt
        from its parsed parts, and then the rest.
        """
        if self._rejection is not None:
            return
        self._chunk_bytes = len(data)
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._parse_without_offer(memoryview(data), upgrade)
        except httptools.HttpParserCallbackError:
            self.send_400_response("its request line is invalid")
        except httptools.HttpParserError as error:
            self.send_400_response(str(error))
        if self._in_headers:
            self._count_unfinished_headers()
        elif self._in_message and b"transfer-encoding" in self.headers_by_name:
            self._count_trailers()
        else:
            self._header_bytes = 0

    def on_message_begin(self) -> None:
        """Begin a request, whose scope is made once its headers are complete."""
        self._in_message = self._in_headers = True
        self._messages += 1
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, without the whitespace around its value that llhttp leaves (RFC 9110, section 5.5).

        Trailer fields, which follow a chunked body, are ignored (section 6.5.1): as headers they could change the
        request after its check.
        """
        if self._in_headers:
            self.headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """Start a request, unless its headers are too many, too long or lack Host, or connections are too many."""
        headers = self.headers
        self.headers_by_name = by_name = dict(headers)
        # An exact check only if one may fail: of the length if headers and all bytes received with them are too long.
        if (
            self._over_limit
            or len(headers) > MAX_HEADERS
            or len(by_name) < len(headers)
            or b"host" not in by_name
            or b"transfer-encoding" in by_name
            or self._header_bytes + self._chunk_bytes > self._max_header_bytes
        ):
            self._check_headers()
        if not self.url.startswith(b"/"):
            self.url = with_path(self.url)
        if not self.parser.should_upgrade():
            self._start_request()  # fails at an address that llhttp takes and its parser of addresses doesn't
            self._in_headers = False
        elif self.parser.get_method() == b"CONNECT":
            self.stop_parsing(400, "CONNECT is a method for proxies, which this server is not: send another request")

    def on_body(self, body: bytes) -> None:
        """Append received bytes to the body."""
        self._has_body_bytes = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if not self.parser.should_upgrade():
            self._in_message = False
            self._header_bytes = 0
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Reject a request that can't be parsed, or for which parsing was stopped."""
        self.reject(*(self._parse_error or (400, f"the request isn't valid HTTP ({msg}): send a valid one")))

    def stop_parsing(self, status: int, detail: str) -> NoReturn:
        """Stop the parser, which then calls `send_400_response`; called by its callbacks."""
        self._parse_error = (status, detail)
        raise ValueError(detail)

    @abstractmethod
    def reject(self, status: int, detail: str) -> None:
        """Respond without the application, and end the connection."""

    @abstractmethod
    def _start_request(self) -> None:
        """Start the request whose headers were parsed."""

    def _parse_without_offer(self, data: memoryview, upgrade: httptools.HttpParserUpgrade) -> None:
        while True:
            data = data[upgrade.args[0] :]
            request = self._without_offer()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(request)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as another:
                upgrade = another
            else:
                return

    def _without_offer(self) -> bytes:
        """Return the request line and headers that were parsed last, without the offer of another protocol."""
        parser = self.parser
        lines = [b"%b %b HTTP/%b" % (parser.get_method(), self.url, parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                lines.append(b"connection: " + b", ".join(option for option in options if option.lower() != b"upgrade"))
            elif name != b"upgrade":
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])

    def _count_unfinished_headers(self) -> None:
        if self._rejection is not None:
            return
        # Some bytes of the first chunk may belong to the previous request.
        is_first = self.cycle is not None and not self._header_bytes
        self._header_bytes += 1 if is_first else self._chunk_bytes
        if self._header_bytes > self._max_header_bytes:
            self.reject(431, self._too_long())
        elif len(self.headers or ()) > MAX_HEADERS:
            self.reject(431, _TOO_MANY)

    def _count_trailers(self) -> None:
        # The parser holds a trailer field until its end. Some bytes of the chunk with the body's last data may be
        # trailers too: they are fewer than the event loop reads at once.
        self._header_bytes = 0 if self._has_body_bytes else self._header_bytes + self._chunk_bytes
        self._has_body_bytes = False
        if self._header_bytes > self._max_header_bytes and self._rejection is None:
            self.reject(
                431,
                f"the trailers of the request, or the extensions of a chunk, are over {self._max_header_bytes} bytes: "
                "leave them out",
            )

    def _check_headers(self) -> None:
        if self._over_limit and self.url not in _OPEN_URLS:
            self._metrics.count_rejected_connection()
            self.stop_parsing(503, TOO_MANY_CONNECTIONS)
        if len(self.headers) > MAX_HEADERS:
            self.stop_parsing(431, _TOO_MANY)
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self._max_header_bytes:
            self.stop_parsing(431, self._too_long())
        if problem := find_framing_problem(self.headers, self.parser.get_http_version()):
            self.stop_parsing(*problem)

    def _too_long(self) -> str:
        return f"the headers of the request are over {self._max_header_bytes} bytes: send fewer or shorter ones"
