"""Distribution of simultaneously opened connections over two workers.

    python -m benchmarks.worker_balance

Starts the service, and prints for each number of connections the share of the fuller worker (Linux).
"""

import asyncio
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Final

import httpx

from benchmarks.command_line import make_parser

COUNTS: Final = (8, 24, 64)
ROUNDS: Final = 20

_PAUSE_S: Final = 0.3
"""For the workers to close what the clients have closed, before the next round."""

_REQUEST: Final = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def main() -> None:
    """Print, for each number of connections, the larger worker's share, and how often it had all of them."""
    make_parser("benchmarks.worker_balance", __doc__).parse_args()
    line = [sys.executable, "-m", "app", "--frameworks", "pytorch", "--workers", "2", "--port", "0"]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)  # noqa: S603 -- our own service
    try:
        assert process.stderr is not None
        match = re.search(r"listening on (http://\S+) ", process.stderr.readline())
        assert match is not None
        for _ in range(2):
            process.stderr.readline()  # a worker is ready
        url = httpx.URL(match[1])
        workers = _find_workers(process.pid)
        print("| connections | share of the fuller worker | all in one |\n|---|---|---|")
        for count in COUNTS:
            rounds = [asyncio.run(_count_by_worker(url, workers, count)) for _ in range(ROUNDS)]
            share = mean(max(counts) / count for counts in rounds)
            print(f"| {count} | {share:.0%} | {sum(max(counts) == count for counts in rounds)} of {ROUNDS} |")
    finally:
        process.terminate()
        process.communicate()


async def _count_by_worker(url: httpx.URL, workers: list[int], count: int) -> list[int]:
    """Return how many of the connections opened at once each worker has, once all have been answered."""
    before = [_count_sockets(pid) for pid in workers]
    streams = await asyncio.gather(*(asyncio.open_connection(url.host, url.port) for _ in range(count)))
    for _, writer in streams:
        writer.write(_REQUEST)
    for reader, _ in streams:
        await reader.readuntil(b"\r\n\r\n")
    counts = [_count_sockets(pid) - number for pid, number in zip(workers, before, strict=True)]
    for _, writer in streams:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in streams))
    await asyncio.sleep(_PAUSE_S)
    return counts


def _find_workers(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return [pid for pid in map(int, children) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _count_sockets(pid: int) -> int:
    count = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed since
            count += str(file.readlink()).startswith("socket:")
    return count


if __name__ == "__main__":
    main()
