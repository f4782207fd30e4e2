"""CPU time of a request in the event loop's thread, without sockets and the model: repeatable on a busy machine.

    python -m benchmarks.serving.event_loop_costs

Connections get the bytes of requests, each with another `traceparent`, from this process, on a transport that discards
responses; batches are done at once with outputs computed before. The empty FastAPI endpoint is driven the same way, in
turn. The least and the median of rounds of 64 requests are printed. What clients see is `--part headers`.
"""

import asyncio
import gc
import logging
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import uvicorn
import uvloop
from uvicorn.server import ServerState

from app.inference.batching.job import Job
from app.main import create_app
from app.observability.log_config import JsonFormatter, configure_logs
from app.server.http_server import configure
from app.settings import Settings
from benchmarks.command_line import make_parser
from benchmarks.serving.baseline_apps import fastapi_app
from benchmarks.serving.cases import MEDIA_TYPES, Case
from benchmarks.serving.numpy_registry import numpy_registry
from benchmarks.serving.parts.open_inference import infer_request
from training.reporting.markdown_tables import table

CONNECTIONS: Final = 64
ORIGIN: Final = "https://example.org"

_MAX_TURNS: Final = 10_000
"""Turns of the event loop within which all connections have their responses."""

CHECKS: Final[dict[str, Any]] = {"rate_limit": "10000000/second", "cors_origins": [ORIGIN], "access_log": True}


class Transport:
    """A transport that counts writes."""

    def __init__(self) -> None:
        self.writes = 0
        self.last = b""

    def write(self, data: bytes) -> None:
        """Discard a response."""
        self.writes += 1
        self.last = data

    def is_closing(self) -> bool:
        """Return False: it stays open."""
        return False

    def close(self) -> None:
        """Stay open: the empty endpoint's connections may be idle for long."""

    def get_extra_info(self, name: str) -> Any:
        """Return an address."""
        return {"sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 40000)}.get(name)


class InstantBatches:
    """In place of a batcher's inbox: each job is done at once, with the outputs of the first of its kind."""

    def __init__(self, batcher: Any) -> None:
        self._batcher = batcher
        self._outputs: dict[Any, Any] = {}

    def put(self, jobs: list[Job]) -> None:
        """Deliver the results of jobs."""
        for job in jobs:
            if job.operation not in self._outputs:
                self._outputs[job.operation] = job.operation(job.adapter, *job.inputs)
        results = [(job, self._outputs[job.operation]) for job in jobs]
        asyncio.get_running_loop().call_soon(self._batcher._deliver, None, results, None)  # noqa: SLF001 -- the model is left out


@dataclass(slots=True)
class Driven:
    """Connections of one server, the request that they get, and its costs in microseconds."""

    name: str
    head: bytes
    body: bytes
    connections: list[tuple[Any, Transport]]
    writes: int = 1
    """Writes of a response."""

    costs: list[float] = field(default_factory=list)
    sent: int = 0

    async def run(self) -> None:
        """Have each connection handle one request."""
        requests = []
        for _ in self.connections:
            self.sent += 1
            requests.append(
                b"%btraceparent: 00-%032x-%016x-01\r\n\r\n%b" % (self.head, self.sent, self.sent, self.body)
            )
        expected = self.connections[0][1].writes + self.writes
        begun = time.thread_time()
        for (connection, _), request in zip(self.connections, requests, strict=True):
            connection.data_received(request)
        turns = 0
        while any(transport.writes < expected for _, transport in self.connections[:: CONNECTIONS - 1]):
            assert turns < _MAX_TURNS, f"no response to {self.name}"
            turns += 1
            await asyncio.sleep(0)
        self.costs.append((time.thread_time() - begun) / len(self.connections) * 1e6)


async def measure(rounds: int) -> list[Driven]:
    """Return the costs of the empty endpoint and of each kind of request, in so many rounds."""
    config = uvicorn.Config(fastapi_app(), log_config=None, server_header=False, ws="none", lifespan="off")
    config.load()
    all_driven = [Driven("empty FastAPI", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"", _connect(config), writes=2)]
    for checks in ({}, CHECKS):
        config = await _start(Settings(frameworks=("pytorch",), **checks))
        if checks:
            _discard_access_log()
        requests = {kind: Case(kind, "pytorch").request("") for kind in MEDIA_TYPES}
        requests["/v2, binary"] = infer_request("/v2/models/pytorch-reconstruct/infer")
        for kind, request in requests.items():
            lines = [f"POST {request.url} HTTP/1.1", "Host: localhost", f"Content-Length: {len(request.body)}"]
            lines += [f"{header}: {value}" for header, value in request.headers.items()]
            lines += [f"Origin: {ORIGIN}"] if checks else []
            name = f"{kind}, rate limit, CORS, access log" if checks else kind
            all_driven.append(Driven(name, "\r\n".join([*lines, ""]).encode(), request.body, _connect(config)))
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for driven in all_driven:
            await driven.run()
    for driven in all_driven[1:]:
        assert driven.connections[0][1].last.startswith(b"HTTP/1.1 200 OK")
    return all_driven


def main() -> None:
    """Print the table."""
    parser = make_parser("benchmarks.serving.event_loop_costs", __doc__)
    parser.add_argument("--rounds", type=int, default=300, help="how often each kind of request is measured")
    all_driven = uvloop.run(measure(parser.parse_args().rounds))
    rows = [
        [driven.name, f"{min(driven.costs):.0f}", f"{statistics.median(driven.costs):.0f}"] for driven in all_driven
    ]
    print("\n".join(table(["request", "least CPU time, us", "median"], rows)))


def _connect(config: uvicorn.Config) -> list[tuple[Any, Transport]]:
    state = ServerState()
    state.default_headers = [(b"date", b"Sat, 01 Jan 2000 00:00:00 GMT"), *config.encoded_headers]
    make: Callable[..., Any] = config.http_protocol_class
    connections = [(make(config=config, server_state=state, app_state={}), Transport()) for _ in range(CONNECTIONS)]
    for connection, transport in connections:
        connection.connection_made(transport)
    return connections


async def _start(settings: Settings) -> uvicorn.Config:
    registry = numpy_registry(settings)
    app = create_app(settings, registry)
    registry.start(app.state.metrics.for_framework)
    await registry.wait_until_loaded()
    batcher: Any = registry.get("pytorch").batcher
    batcher._executor.inbox = InstantBatches(batcher)  # noqa: SLF001 -- the model is left out
    config = configure(app)
    if not config.loaded:
        config.load()
    return config


def _discard_access_log() -> None:
    """Write the access log in JSON, as the service does where stderr is no terminal, but to nowhere."""
    configure_logs("info", "json")
    logger = logging.getLogger("app.access")
    logger.propagate = False
    handler = logging.FileHandler(os.devnull)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)


if __name__ == "__main__":
    main()
