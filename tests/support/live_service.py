"""The service as a user starts it: a process of its own, with the real frameworks and the committed checkpoints."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

CHECKOUT = Path(__file__).parents[2]


@contextmanager
def serving(
    *arguments: str, log: Path, command: Sequence[str] = (sys.executable, "-m", "app"), **variables: str
) -> Iterator[httpx.Client]:
    """Start the service on a free port, and give a client of it once it responds."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **variables}
    with kept_port() as port, log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments],
            cwd=log.parent,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                wait_until_answers(client, process, log)
                yield client
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def kept_port() -> Iterator[int]:
    """Give a port that is free for a service, and on Linux, where two may bind what one listens on, for nobody else."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port = keeper.getsockname()[1]
        if sys.platform != "linux":
            keeper.close()
        yield port


def wait_until_answers(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the service is alive."""
    while True:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def wait_until_settled(client: httpx.Client) -> dict[str, dict[str, object]]:
    """Return each framework's entry of `/frameworks`, once none is loading."""
    while True:
        entries = {entry["framework"]: entry for entry in client.get("/frameworks").json()["frameworks"]}
        if all(entry["status"] != "loading" for entry in entries.values()):
            return entries
        time.sleep(0.1)
