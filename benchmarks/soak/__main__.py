"""Soak test: ten minutes of all routes and frameworks at once, over HTTP and gRPC; a tenth of the clients leave early.

    python -m benchmarks.soak
    python -m benchmarks.soak --minutes 1 --clients 8

Every response is compared with the one of the same service while idle. Meanwhile the checkpoints are reloaded twice a
minute, and the metrics scraped each second. Ends with 1 if a response was wrong or a 5xx, if the metrics don't add up
to the clients' counts, or if the memory grew. Measures no speed.
"""

import argparse
import asyncio
import os
import random
import shlex
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import uvloop

from benchmarks.serving.processes import Server, service
from benchmarks.serving.tables import counts
from benchmarks.soak.accounting import count_responses, find_growth, find_miscounts
from benchmarks.soak.grpc_calls import GrpcCalls
from benchmarks.soak.requests import RequestContext, exchanges, find_difference, read_answer
from training.counts import count_of
from training.frameworks import FRAMEWORKS

LEAVING: Final = 0.1
"""Share of the requests whose client disconnects before the response."""

STAY_S: Final = 0.03
"""Maximum time until such a client disconnects."""

SHED: Final = 429
"""The only status other than 200 that is allowed under load."""

PAUSE_S: Final = 0.05
"""Pause of a client after a 429."""

RELOAD_S: Final = 30
"""Seconds between two reloads of the checkpoints."""

SCRAPE_S: Final = 1
"""Seconds between two scrapes of the metrics."""

MIB: Final = 2**20


@dataclass(slots=True)
class Tally:
    """Counts so far."""

    statuses: Counter[str] = field(default_factory=Counter)
    left: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """Wrong responses, by reason."""

    memory: list[int] = field(default_factory=list)
    """Resident bytes, a sample per scrape."""

    reloads: int = 0


def main() -> int:
    """Run the load, print the results, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16, help="requests at a time")
    parser.add_argument("--every", type=float, default=30, help="seconds between two lines of the table")
    parser.add_argument("--seed", type=int, default=0, help="of the order of requests")
    parser.add_argument("--server-args", default="", help="further options of `python -m app`, as one word")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        grpc_port = free.getsockname()[1]
    arguments = ["--grpc-port", str(grpc_port), *shlex.split(options.server_args)]
    with service(*os.sched_getaffinity(0), frameworks=FRAMEWORKS, arguments=arguments) as server:
        tally = uvloop.run(_soak(server, options, grpc_port))
    for fault, count in tally.faults.most_common():
        print(f"{count_of(count, 'time', ',')}: {fault}")
    return 1 if tally.faults else 0


async def _soak(server: Server, options: argparse.Namespace, grpc_port: int) -> Tally:
    tally = Tally()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
        kinds = await _learn(client)
        print(
            "| seconds | responses | left | reloads | wrong | RSS, MiB |",
            "| --- | --- | --- | --- | --- | --- |",
            sep="\n",
            flush=True,
        )
        before = count_responses((await client.get("/metrics")).text)
        tally.statuses["200"] += 1  # that scrape, which is counted after its response
        start = time.monotonic()
        deadline = start + options.minutes * 60
        async with asyncio.TaskGroup() as group:
            group.create_task(_scrape(client, tally, server, deadline))
            group.create_task(_reload(tally, server, deadline))
            group.create_task(GrpcCalls(grpc_port).run(tally.statuses, tally.faults, deadline))
            for number in range(options.clients):
                group.create_task(_ask(client, kinds, tally, random.Random(options.seed + number), deadline))  # noqa: S311 -- an order
            while (now := time.monotonic()) < deadline:
                _print_row(now - start, tally, server)
                await asyncio.sleep(min(options.every, deadline - now))
        _print_row(time.monotonic() - start, tally, server)
        await asyncio.sleep(1)  # until the requests of those who left have ended
        counted = count_responses((await client.get("/metrics")).text) - before
        tally.faults.update(find_miscounts(counted, tally.statuses, left=tally.left))
        if growth := find_growth(tally.memory):
            tally.faults[growth] += 1
        print(f"The metrics count {counts(counted)} of these.", flush=True)
    return tally


async def _scrape(client: httpx.AsyncClient, tally: Tally, server: Server, deadline: float) -> None:
    """Scrape the metrics each second, as Prometheus does, and sample the memory."""
    while time.monotonic() < deadline:
        tally.statuses[str((await client.get("/metrics")).status_code)] += 1
        tally.memory.append(server.rss())
        await asyncio.sleep(SCRAPE_S)


async def _reload(tally: Tally, server: Server, deadline: float) -> None:
    """Have the service reload its checkpoints, which stay the same."""
    while (left_s := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(RELOAD_S, left_s))
        os.kill(server.pid, signal.SIGHUP)
        tally.reloads += 1


async def _learn(client: httpx.AsyncClient) -> list[tuple[RequestContext, Any]]:
    """Return each request with its response, sent one after another."""
    known = set((await client.get("/openapi.json")).json()["paths"]) | {"/openapi.json"}
    kinds = exchanges()
    print(f"Not asked for: {', '.join(sorted(known - {kind.path for kind in kinds})) or 'nothing'}.")
    learned = []
    for kind in kinds:
        answer = await client.send(kind.build(client))
        if answer.status_code != 200:
            raise SystemExit(f"{kind}: {answer.status_code} from an idle service: {answer.text[:200]}")
        learned.append((kind, read_answer(answer)))
    return learned


async def _ask(
    client: httpx.AsyncClient,
    kinds: Sequence[tuple[RequestContext, Any]],
    tally: Tally,
    order: random.Random,
    deadline: float,
) -> None:
    """Run one client until the end."""
    weights = [kind.weight for kind, _ in kinds]
    while time.monotonic() < deadline:
        kind, expected = order.choices(kinds, weights)[0]
        request = kind.build(client)
        try:
            if order.random() < LEAVING:
                await _leave(request, order)
                tally.left += 1
                continue
            answer = await client.send(request)
        except (httpx.TransportError, OSError) as error:
            tally.faults[f"{kind}: {type(error).__name__}"] += 1
            continue
        tally.statuses[str(answer.status_code)] += 1
        if answer.status_code == SHED:
            await asyncio.sleep(PAUSE_S)
        elif answer.status_code != 200:
            tally.faults[f"{kind}: {answer.status_code}"] += 1
        elif kind.is_compared and (difference := find_difference(expected, read_answer(answer))):
            tally.faults[f"{kind}: {difference}"] += 1


async def _leave(request: httpx.Request, order: random.Random) -> None:
    """Send the request, or a part of it, and disconnect before the response."""
    _, writer = await asyncio.open_connection(request.url.host, request.url.port)
    head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n".encode()
    head += b"".join(b"%s: %s\r\n" % header for header in request.headers.raw) + b"\r\n"
    content = head + request.content
    writer.write(content[: order.choice([len(content), order.randrange(len(content))])])
    await asyncio.sleep(order.uniform(0, STAY_S))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _print_row(seconds: float, tally: Tally, server: Server) -> None:
    numbers = tally.left, tally.reloads, tally.faults.total()
    cells = f"{seconds:.0f}", counts(tally.statuses), *(f"{number:,}" for number in numbers)
    print(f"| {' | '.join(cells)} | {server.rss() / MIB:,.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
