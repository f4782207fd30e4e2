"""The measured processes: the service and the baseline endpoints, pinned to cores."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

ROOT: Final = Path(__file__).parents[2]

QUIET: Final = ("--log-level", "warning")
"""Log level of the service and the baseline endpoints: no line per request."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Cores of the server and of the client."""

    server: int
    client: int


@dataclass(frozen=True, slots=True)
class Server:
    """A running `python -m app`, or a baseline endpoint."""

    url: str
    pid: int

    def rss(self) -> int:
        """Return its resident memory, in bytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def cpu_seconds(self) -> float:
        """Return the CPU time of its threads so far, user and kernel."""
        # proc(5): the second field, a name in parentheses, may hold spaces; the 14th and 15th are clock ticks.
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def choose_cores() -> Cores:
    """Return the first two cores available to this process.

    Raises:
        SystemExit: Only one core is available.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed, one that serves and one that asks: this process may use only one")
    return Cores(server=cores[0], client=cores[1])


@contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Pin this thread, and processes started in the context, to the cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def service(
    *cores: int,
    frameworks: Sequence[str],
    arguments: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    waits: bool = True,
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Start the service of a checkout on the cores; by default wait until its frameworks are ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["-m", "app", "--port", str(port), "--frameworks", ",".join(frameworks), *QUIET, *arguments]
    with (
        tempfile.TemporaryFile() as log,
        _started(command, cores, variables=variables, folder=folder, stderr=log) as process,
    ):
        server = Server(f"http://127.0.0.1:{port}", process.pid)
        while waits and not _is_ready(server.url):
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"the service ended by itself: {log.read().decode().strip()}")
            time.sleep(0.02)
        yield server


@contextmanager
def empty_endpoint(*cores: int, kind: str) -> Iterator[Server]:
    """Start one of `benchmarks.serving.baseline_apps` on the cores, and wait until it responds."""
    with _started(["-m", "benchmarks.serving.baseline_apps", kind], cores, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/"
        while not _is_ready(url, path=""):
            time.sleep(0.02)
        yield Server(url, process.pid)


@contextmanager
def bare_framework(*cores: int, framework: str) -> Iterator[Callable[[int, float], list[float]]]:
    """Start `benchmarks.serving.parts.raw_adapter` on the cores.

    Yield a function of a number of images and a duration, which returns the seconds of each call.
    """
    with _started(
        ["-m", "benchmarks.serving.parts.raw_adapter", framework], cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        stdout.readline()

        def call(count: int, seconds: float) -> list[float]:
            stdin.write(f"{count} {seconds}\n".encode())
            stdin.flush()
            taken: list[float] = json.loads(stdout.readline())
            return taken

        yield call


@contextmanager
def _started(
    arguments: Sequence[str],
    cores: Sequence[int],
    *,
    variables: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    **streams: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TRIPTYCH_", "OTEL_"))}
    with pinned(*cores):
        process = subprocess.Popen(  # noqa: S603 -- Python itself
            [sys.executable, *arguments], cwd=folder, env=inherited | dict(variables or {}), **streams
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _is_ready(url: str, path: str = "/readyz") -> bool:
    try:
        return httpx.get(url + path).status_code == 200
    except httpx.TransportError:
        return False
