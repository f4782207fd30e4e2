"""Ten minutes of everything at once: all routes and frameworks, a tenth of the requests left before their answer.

    python -m benchmarks.soak
    python -m benchmarks.soak --minutes 1 --clients 8

Every answer is compared with the one that the same service gave while idle. Ends with 1 where one was wrong, or a 5xx.
Measures no speed.
"""

import argparse
import asyncio
import os
import random
import shlex
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
from benchmarks.soak_requests import Exchange, exchanges, find_difference, read_answer
from training.frameworks import FRAMEWORKS

LEAVING: Final = 0.1
"""Share of the requests whose client closes its connection before the answer."""

STAY_S: Final = 0.03
"""How long those who leave stay at most."""

SHED: Final = 429
"""The one status other than 200 that a service under load may answer with."""

PAUSE_S: Final = 0.05
"""How long a client waits after it was shed."""

MIB: Final = 2**20


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    statuses: Counter[str] = field(default_factory=Counter)
    left: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """Answers that weren't right, by what was wrong."""


def main() -> int:
    """Load the service, print what happens, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16, help="requests at a time")
    parser.add_argument("--every", type=float, default=30, help="seconds between two lines of the table")
    parser.add_argument("--seed", type=int, default=0, help="of the order of requests")
    parser.add_argument("--server-args", default="", help="further options of `python -m app`, as one word")
    options = parser.parse_args()
    arguments = shlex.split(options.server_args)
    with service(*os.sched_getaffinity(0), frameworks=FRAMEWORKS, arguments=arguments) as found:
        tally = uvloop.run(_soak(found, options))
    for fault, count in tally.faults.most_common():
        print(f"{count:,} times: {fault}")
    return 1 if tally.faults else 0


async def _soak(found: Server, options: argparse.Namespace) -> Tally:
    tally = Tally()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=found.url, timeout=60, limits=limits) as client:
        kinds = await _learn(client)
        print(
            "| seconds | answers | left | wrong | RSS, MiB |", "| --- | --- | --- | --- | --- |", sep="\n", flush=True
        )
        start = time.monotonic()
        end = start + options.minutes * 60
        async with asyncio.TaskGroup() as group:
            for number in range(options.clients):
                group.create_task(_ask(client, kinds, tally, random.Random(options.seed + number), end))  # noqa: S311 -- an order
            while (now := time.monotonic()) < end:
                _print_row(now - start, tally, found)
                await asyncio.sleep(min(options.every, end - now))
        _print_row(time.monotonic() - start, tally, found)
    return tally


async def _learn(client: httpx.AsyncClient) -> list[tuple[Exchange, Any]]:
    """Return each request with its answer, asked one after the other."""
    known = set((await client.get("/openapi.json")).json()["paths"]) | {"/openapi.json"}
    kinds = exchanges()
    print(f"Not asked for: {', '.join(sorted(known - {kind.path for kind in kinds})) or 'nothing'}.")
    learnt = []
    for kind in kinds:
        answer = await client.send(kind.build(client))
        if answer.status_code != 200:
            raise SystemExit(f"{kind}: {answer.status_code} from an idle service: {answer.text[:200]}")
        learnt.append((kind, read_answer(answer)))
    return learnt


async def _ask(
    client: httpx.AsyncClient, kinds: Sequence[tuple[Exchange, Any]], tally: Tally, order: random.Random, end: float
) -> None:
    """Be one client until the end."""
    weights = [kind.weight for kind, _ in kinds]
    while time.monotonic() < end:
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
    """Send the request, or a part of it, and close the connection before the answer."""
    _, writer = await asyncio.open_connection(request.url.host, request.url.port)
    head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n".encode()
    head += b"".join(b"%s: %s\r\n" % header for header in request.headers.raw) + b"\r\n"
    content = head + request.content
    writer.write(content[: order.choice([len(content), order.randrange(len(content))])])
    await asyncio.sleep(order.uniform(0, STAY_S))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _print_row(seconds: float, tally: Tally, found: Server) -> None:
    cells = f"{seconds:.0f}", counts(tally.statuses), f"{tally.left:,}", f"{tally.faults.total():,}"
    print(f"| {' | '.join(cells)} | {found.rss() / MIB:,.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
