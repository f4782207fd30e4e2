"""The limit of open files: raised to what the connections need, or fewer connections, and health checks in any case."""

import re
import socket
import subprocess
import time
from collections import Counter
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.support.app import read_answer, save_checkpoints
from tests.support.service_process import FRAMEWORK, command, environment, needs_framework

pytestmark = needs_framework


@contextmanager
def limited(folder, *arguments, soft, hard):
    """Start the service with these limits of open files; give its URL and its log once it is ready."""
    line = command("--checkpoints", folder / "models", "--frameworks", FRAMEWORK, "--port", 0, *arguments)
    log = folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            ["sh", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh", *line],
            env=environment(),
            stderr=stderr,
        )
    try:
        while not (match := re.search(r"listening on (http://\S+) ", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        while httpx.get(f"{match[1]}/readyz", timeout=60).status_code != 200:
            time.sleep(0.05)
        yield match[1], log
    finally:
        process.kill()
        process.wait()


def hold_connections(url, count):
    """Send a request on each of so many connections and keep all; return the statuses, and that of `/healthz` then."""
    address = httpx.URL(url)
    connections = []
    statuses = Counter()
    try:
        for _ in range(count):
            connection = socket.create_connection((address.host, address.port), timeout=20)
            connection.sendall(b"GET /frameworks HTTP/1.1\r\nHost: x\r\n\r\n")
            connections.append(connection)
        for connection in connections:
            status = "lost"
            with suppress(OSError, ValueError), connection.makefile("rb") as responses:
                status = read_answer(responses)[0]
            statuses[status] += 1
        return statuses, httpx.get(f"{url}/healthz").status_code
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize(
    ("soft", "hard", "most", "served", "excess"),
    [(100, 2000, 300, 300, 40), (400, 400, 1000, 144, 40), (400, 400, 1000, 144, 600)],
    ids=["soft limit", "hard limit", "more connections than files"],
)
def test_every_connection_is_answered(tmp_path, soft, hard, most, served, excess):
    """Over the limit of connections the status is 503, never a reset; /healthz is answered; the log says why."""
    save_checkpoints(tmp_path / "models")

    with limited(tmp_path, "--max-connections", most, soft=soft, hard=hard) as (url, log):
        statuses, health = hold_connections(url, served + excess)
        warned = f"the limit of connections is {served} instead of {most}" in log.read_text()

    assert statuses == {200: served, 503: excess}
    assert health == 200
    assert warned is (served < most)
