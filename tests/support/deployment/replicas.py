"""A replica of the service that is drained, killed and started again on its port; and a client that counts failures."""

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.support.live_service import CHECKOUT, kept_port, wait_until_answers


class Replica:
    """A service with PyTorch that can be started several times on one port."""

    def __init__(self, port: int, log: Path, options: Sequence[str]) -> None:
        self.port = port
        self.log = log
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the service; it listens at once."""
        with self.log.open("a") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "--port", str(self.port), "--frameworks", "pytorch", *self._options],
                cwd=self.log.parent,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "HOME": str(self.log.parent)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        """Return when the models are loaded."""
        assert self._process is not None
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            wait_until_answers(client, self._process, self.log)
            while client.get("/readyz").status_code != 200:
                time.sleep(0.1)

    def drain(self) -> None:
        """Stop the service as an operator does, by SIGTERM."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(timeout=30) == 0

    def kill(self) -> None:
        """End the service by SIGKILL, whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=30)

    def close(self) -> None:
        """End the service, if it was started."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


@contextmanager
def replica(log: Path, *options: str) -> Iterator[Replica]:
    """Give a replica on a free port, started."""
    with kept_port() as port:
        server = Replica(port, log, options)
        server.start()
        try:
            yield server
        finally:
            server.close()


@dataclass
class Load:
    """Requests sent by several clients at once, without repeats, until the end of the context."""

    url: str
    requests: Sequence[tuple[str, str, bytes]]
    """Path, content type and body of each; sent in turn."""

    clients: int = 4
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start the clients."""
        self._threads = [threading.Thread(target=self._send_all, args=(place,)) for place in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the clients' last responses."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=90)

    def _send_all(self, place: int) -> None:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        while not self._ending.is_set():
            path, content_type, body = self.requests[place % len(self.requests)]
            place += 1
            try:
                connection.request("POST", address.path + path, body, {"Content-Type": content_type})
                response = connection.getresponse()
                content = response.read()
                failure = None if response.status == 200 else f"{path}: {response.status} {content[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                failure = f"{path}: {error!r}"
            with self._lock:
                self.sent += 1
                if failure:
                    self.failures.append(failure)
        connection.close()
