"""Several workers behind one port: connections opened at once are shared by all, and a crash stops none of the rest."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.app import save_checkpoints
from tests.support.processes import has_ended
from tests.support.service_process import FRAMEWORK, command, environment, needs_framework

pytestmark = [
    needs_framework,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux divides connections among sockets of one port"),
]


@contextmanager
def two_workers(folder):
    """Start two workers; give the URL and the workers' process ids once both are ready."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, "--workers", 2)
    process = subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"listening on (http://\S+) ", process.stderr.readline())[1]
        ready = [process.stderr.readline() for _ in range(2)]
        assert all("is ready" in text for text in ready), ready
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
        yield url, workers
    finally:
        process.terminate()
        process.communicate(timeout=30)


def count_sockets(pid):
    """Return how many sockets a process has open."""
    count = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        count += str(file.readlink()).startswith("socket:")
    return count


def test_connections_opened_at_once_are_shared(tmp_path):
    """Of 200 connections opened together, each of two workers serves between a third and two thirds."""
    with two_workers(save_checkpoints(tmp_path)) as (url, workers), ExitStack() as stack:
        before = [count_sockets(pid) for pid in workers]
        address = (httpx.URL(url).host, httpx.URL(url).port)
        connections = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(200)]
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        counts = [count_sockets(pid) - count for pid, count in zip(workers, before, strict=True)]

    assert sum(counts) == 200
    assert min(counts) > 66


def test_a_crashed_worker_keeps_no_client_waiting(tmp_path):
    """While one of two workers is gone and its place not yet taken, every new connection is answered by the other."""
    with two_workers(save_checkpoints(tmp_path)) as (url, workers):
        os.kill(workers[0], signal.SIGKILL)
        # Its last thread closes its sockets, after its table of files is empty and before only a zombie is left.
        threads = Path(f"/proc/{workers[0]}/task")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while len(list(threads.iterdir())) > 1 or not has_ended(workers[0]):
                time.sleep(0.01)

        statuses = [httpx.get(f"{url}/healthz", timeout=5).status_code for _ in range(40)]

    assert statuses == [200] * 40


def test_service_is_ready_once_both_workers_are(tmp_path):
    """The first 200 of `/readyz` is sent when both workers have logged that their models are ready, not before."""
    log = tmp_path / "log"
    line = command("--checkpoints", save_checkpoints(tmp_path), "--frameworks", FRAMEWORK, "--port", 0, "--workers", 2)
    with log.open("w") as stderr:
        process = subprocess.Popen(line, env=environment(), stderr=stderr)
    try:
        while not (match := re.search(r"listening on (http://\S+) ", log.read_text())):
            time.sleep(0.05)
        while httpx.get(f"{match[1]}/readyz", timeout=60).status_code != 200:
            pass
        ready = log.read_text().count("is ready on")
    finally:
        process.terminate()
        process.wait(30)

    assert ready == 2
