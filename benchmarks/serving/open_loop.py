"""An open-loop client: sends at a constant rate, whatever the server does, from one thread. Reads only statuses.

A latency is counted from when the request was due, not from when it could be sent, so that a server that stalls cannot
hide it by not being asked meanwhile.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httptools
import numpy as np
import uvloop

from benchmarks.serving.processes import pinned
from benchmarks.serving.wrk import Request

LAST_RESPONSES_S: Final = 15.0
"""Time to wait for the last responses."""

_TIMER_S: Final = 2e-3
"""Seconds by which a timer may be late: so long before a request the client polls, and until then it sleeps."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of request, at a constant rate on its own connections."""

    request: Request
    rate: float
    """Requests per second; infinite to send whenever a connection is free."""

    connections: int = 64


@dataclass(slots=True)
class Outcome:
    """Results of one stream."""

    goodput_per_s: float = 0.0
    """Responses with 200 per second in the second half, when queues are fullest."""

    latencies_s: dict[int, list[float]] = field(default_factory=dict)
    """Latencies by status, counted from when each request was due."""

    not_sent: int = 0
    """Requests that found no connection free."""

    lost: int = 0
    """Requests whose connection was closed, or without a response in time."""

    latest_s: float = 0.0
    """Maximum delay of the client in sending."""

    def count(self, status: int) -> int:
        """Return the number of responses with the status."""
        return len(self.latencies_s.get(status, []))

    def percentile_ms(self, percent: float, status: int = 200) -> float:
        """Return a percentile of the latencies of responses with the status; NaN if there are none."""
        latencies = self.latencies_s.get(status)
        return float(np.percentile(latencies, percent)) * 1e3 if latencies else float("nan")

    def statuses(self) -> dict[str, int]:
        """Return the number of responses by status, and of requests without a response."""
        counts = Counter({str(status): len(latencies) for status, latencies in sorted(self.latencies_s.items())})
        return dict(+Counter(counts | {"lost": self.lost, "not sent": self.not_sent}))


def ask(
    streams: Sequence[Stream], *, core: int, seconds: float, last_responses_s: float = LAST_RESPONSES_S
) -> list[Outcome]:
    """Send the streams concurrently for a number of seconds from one core; return the result of each."""
    with pinned(core):
        return uvloop.run(_ask(streams, seconds, last_responses_s))


async def _ask(streams: Sequence[Stream], seconds: float, last_responses_s: float) -> list[Outcome]:
    clients = [_Client(stream) for stream in streams]
    for client in clients:
        await client.connect()
    start = time.perf_counter()
    halfway = await _send_until(clients, start, seconds / 2)
    before = [client.outcome.count(200) for client in clients]
    stopped = await _send_until(clients, start, seconds)
    for client, count in zip(clients, before, strict=True):
        client.outcome.goodput_per_s = (client.outcome.count(200) - count) / (stopped - halfway)
    while any(client.waiting for client in clients) and time.perf_counter() - start < seconds + last_responses_s:  # noqa: ASYNC110 -- nothing else is measured any more
        await asyncio.sleep(0.01)
    for client in clients:
        client.close()
    return [client.outcome for client in clients]


async def _send_until(clients: Sequence["_Client"], start: float, seconds: float) -> float:
    """Send requests when they are due, until some seconds after the start; return the seconds since the start."""
    while (now := time.perf_counter() - start) < seconds:
        for client in clients:
            client.send_what_is_due(start, now)
        idle_s = min(client.next_due_s for client in clients) - (time.perf_counter() - start)
        await asyncio.sleep(max(0, idle_s - _TIMER_S))
    return now


class _Client:
    """The connections of one stream."""

    def __init__(self, stream: Stream) -> None:
        self.outcome = Outcome()
        self.idle: deque[_Connection] = deque()
        self._stream = stream
        self._all: set[_Connection] = set()
        self._due = 0
        self._tasks: set[asyncio.Task[None]] = set()
        address = urlsplit(stream.request.url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._bytes = _to_bytes(stream.request)

    @property
    def waiting(self) -> bool:
        return any(connection.due is not None for connection in self._all)

    @property
    def next_due_s(self) -> float:
        """Seconds from the start until the next request is due."""
        return self._due / self._stream.rate

    async def connect(self) -> None:
        for _ in range(self._stream.connections):
            await self._open()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), self._host, self._port)
        self._all.add(connection)
        self.idle.append(connection)

    def send_what_is_due(self, start: float, now: float) -> None:
        if self._stream.rate == float("inf"):
            while self.idle:
                self.idle.popleft().send(self._bytes, due=start + now)
            return
        while self._due <= now * self._stream.rate:
            due = self._due / self._stream.rate
            self._due += 1
            self.outcome.latest_s = max(self.outcome.latest_s, now - due)
            if self.idle:
                self.idle.popleft().send(self._bytes, due=start + due)
            else:
                self.outcome.not_sent += 1

    def answered(self, connection: "_Connection", status: int, latency_s: float) -> None:
        self.outcome.latencies_s.setdefault(status, []).append(latency_s)
        self.idle.append(connection)

    def closed(self, connection: "_Connection") -> None:
        self.outcome.lost += connection.due is not None
        self._all.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        task = asyncio.create_task(self._open())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for connection in self._all:
            self.outcome.lost += connection.due is not None
            connection.abandon()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, client: _Client) -> None:
        self.due: float | None = None
        self._client: _Client | None = client
        self._transport: Any = None
        self._parser: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, content: bytes, *, due: float) -> None:
        self.due = due
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._client is None or self.due is None:
            return
        latency_s, self.due = time.perf_counter() - self.due, None
        self._client.answered(self, self._parser.get_status_code(), latency_s)

    def connection_lost(self, _: Exception | None) -> None:
        if self._client is not None:
            self._client.closed(self)

    def abandon(self) -> None:
        self._client = None
        self._transport.abort()


def _to_bytes(request: Request) -> bytes:
    address = urlsplit(request.url)
    target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
    headers = {"Host": address.netloc, **request.headers}
    if request.body:
        headers["Content-Length"] = str(len(request.body))
    method = "POST" if request.body else "GET"
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + request.body
