"""Shutdown under load, and several workers, as clients see them."""

import os
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.app import read_answer, save_checkpoints
from tests.support.clients.metrics_text import read_samples
from tests.support.service_process import FRAMEWORK, command, environment, needs_framework

pytestmark = needs_framework

KEY = {"X-API-Key": "k3y"}


@contextmanager
def started(folder, *arguments):
    """Start the service with one framework, and give the process and its URL once it is ready."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, *arguments)
    process = subprocess.Popen(line, env=environment(TRIPTYCH_API_KEYS="k3y"), stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"listening on (http://\S+) ", process.stderr.readline())[1]
        while httpx.get(f"{url}/readyz", timeout=60).status_code != 200:
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of small checkpoints."""
    return save_checkpoints(tmp_path_factory.mktemp("checkpoints"))


def find_address(url):
    """Return the host and port of a URL."""
    host, port = re.search(r"//(.*):(\d+)", url).groups()
    return host, int(port)


@contextmanager
def unfinished_request(url):
    """Be a client whose request has begun, and whose body never comes."""
    with socket.create_connection(find_address(url)) as slow:
        slow.sendall(b"POST /encode HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y\r\nContent-Length: 9\r\n")
        slow.sendall(b"Content-Type: application/x-npy\r\n\r\n")
        time.sleep(0.2)
        yield


def ask_until_refused(url):
    """Ask again and again over connections that are kept, until none is accepted; count the answers by status.

    A request that was sent and got no answer is counted as lost.
    """
    address = find_address(url)
    counts = Counter()
    while True:
        try:
            connection = socket.create_connection(address, timeout=30)
        except ConnectionError:
            return counts
        with connection, connection.makefile("rb") as answers:
            closes = False
            while not closes:
                try:
                    connection.sendall(b"GET /sample HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y\r\n\r\n")
                    status, headers, _ = read_answer(answers)
                    closes = headers.get("connection") == "close"
                except (OSError, ValueError):
                    status, closes = "lost", True
                counts[status] += 1
                counts["closed"] += closes


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_under_load_loses_no_request(folder, workers):
    """Requests that were sent get their responses, connections are closed, and the process ends with 0."""
    with started(folder, "--workers", workers) as (process, url), ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(ask_until_refused, url) for _ in range(16)]
        time.sleep(0.5)
        process.terminate()
        counts = sum((future.result() for future in asking), Counter())
        process.wait(20)

    assert process.returncode == 0
    assert counts["lost"] == 0
    assert counts[200] > 16
    assert counts["closed"] >= 16


def test_second_signal_ends_at_once(folder):
    """A client that never ends its request doesn't keep the process from ending at the second signal."""
    with started(folder) as (process, url), unfinished_request(url):
        process.terminate()
        time.sleep(0.3)
        was_waiting = process.poll() is None
        process.terminate()
        process.wait(5)

    assert was_waiting
    assert process.returncode == 128 + signal.SIGTERM


def test_time_to_stop_is_bounded(folder):
    """Requests that outlast the time to stop are abandoned, and the process ends with 0."""
    with started(folder, "--shutdown-timeout-s", 1) as (process, url), unfinished_request(url):
        process.terminate()
        process.wait(10)

    assert process.returncode == 0


def test_workers_count_together_reload_together_and_are_replaced(folder):
    """Metrics are the sum of all, a reload reaches each, fresh seeds differ, and a worker that crashes is replaced."""
    with started(folder, "--workers", 2) as (process, url):
        lines = (line for line in process.stderr if "ready on" in line or "has ended" in line or "is served" in line)
        first = [next(lines) for _ in range(2)]
        answers = [httpx.get(f"{url}/sample", headers=KEY).json() for _ in range(20)]
        same = [httpx.get(f"{url}/sample?seed=7", headers=KEY).json()["latents"] for _ in range(10)]
        counted = count_samples(url)
        process.send_signal(signal.SIGHUP)
        reloaded = [next(lines) for _ in range(4)]
        crashed = worker_pids(process.pid)[0]
        os.kill(crashed, signal.SIGKILL)
        ended = next(lines)
        replaced = next(lines)
        statuses = {httpx.get(f"{url}/sample", headers=KEY).status_code for _ in range(20)}
        counted_after = count_samples(url)
        process.send_signal(signal.SIGINT)
        process.wait(20)

    assert all("ready on" in line for line in [*first, replaced])
    assert len({answer["seed"] for answer in answers}) == 20
    assert all(latents == same[0] for latents in same)
    assert (counted, counted_after) == (30, 50)
    assert sum("is served" in line for line in reloaded) == 2
    assert "has ended with code -9" in ended
    assert statuses == {200}
    assert process.returncode == 0


def test_signal_while_workers_are_started_stops_them(folder):
    """No further worker is started, and the process ends with 0 and without a traceback."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, "--workers", 64)
    process = subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True)
    while not worker_pids(process.pid):
        time.sleep(0.001)
    process.terminate()
    _, log = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "Traceback" not in log


def test_process_metrics_are_those_of_all_workers(folder):
    """With several workers /metrics has the usual process metrics, summed, and Python's version."""
    with started(folder, "--workers", 2) as (process, url):
        while len(pids := worker_pids(process.pid)) < 2:
            time.sleep(0.05)
        for _ in range(20):  # so that both have counted
            httpx.get(f"{url}/sample", headers=KEY)
        samples = read_samples(httpx.get(f"{url}/metrics", headers=KEY).text)
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]

    memory = samples["process_resident_memory_bytes",]
    assert memory == pytest.approx(sum(pages) * os.sysconf("SC_PAGE_SIZE"), rel=0.1)
    assert samples["process_cpu_seconds_total",] > 0
    assert samples["process_open_fds",] > 20
    assert samples["process_start_time_seconds",] > time.time() - 600
    assert any(name == "python_info" for name, *_ in samples)


def test_cpu_time_of_a_worker_that_has_ended_stays_counted(folder):
    """Prometheus would take a counter that falls for one that began again at zero, and show a peak."""
    with started(folder, "--workers", 2) as (process, url):
        before = read_cpu_seconds(url)
        os.kill(worker_pids(process.pid)[0], signal.SIGKILL)
        next(line for line in process.stderr if "has ended with code -9" in line)

        assert read_cpu_seconds(url) >= before


def read_cpu_seconds(url):
    """Return the CPU time of all workers."""
    return read_samples(httpx.get(f"{url}/metrics", headers=KEY).text)["process_cpu_seconds_total",]


def count_samples(url):
    """Return how many answers of `/sample` have been counted."""
    samples = read_samples(httpx.get(f"{url}/metrics", headers=KEY).text)
    labels = ("framework", FRAMEWORK), ("route", "/sample"), ("status", "200")
    return samples["triptych_requests_total", *labels]


def worker_pids(parent):
    """Return the process ids of the workers."""
    children = subprocess.run(
        ["pgrep", "-f", "-P", str(parent), "spawn_main"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in children.stdout.split()]
