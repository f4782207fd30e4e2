"""`python -m app --isolate` under load: whatever happens to one framework's child costs only its own requests."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.support.live_service import serving, wait_until_settled
from training.frameworks import FRAMEWORKS

VICTIM = "pytorch"
OTHERS = tuple(framework for framework in FRAMEWORKS if framework != VICTIM)

HANG_S = 2


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A client of a service whose three frameworks are ready, each in a child process."""
    log = tmp_path_factory.mktemp("isolated") / "log"
    with serving("--isolate", "true", "--hang-timeout-s", str(HANG_S), log=log) as client:
        entries = wait_until_settled(client)
        assert all(entry["ready"] for entry in entries.values()), log.read_text()
        yield client


class Load:
    """Threads that send reconstructions to every framework, and count the responses by framework and status."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopping = threading.Event()
        self.responses = {framework: [] for framework in FRAMEWORKS}
        self._threads = [threading.Thread(target=self._send, args=(framework,)) for framework in FRAMEWORKS]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, framework: str) -> None:
        images = np.random.default_rng(0).random((1, 784), dtype=np.float32).tolist()
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stopping.is_set():
                response = client.post(f"/encode?framework={framework}", json={"images": images})
                self.responses[framework].append((response.status_code, response.text))

    def wait_for(self, framework: str, count: int) -> None:
        """Return once a framework has sent so many more responses."""
        target = len(self.responses[framework]) + count
        while len(self.responses[framework]) < target:
            time.sleep(0.01)


def entry_of(client, framework):
    """Return a framework's entry of `/frameworks`."""
    return next(entry for entry in client.get("/frameworks").json()["frameworks"] if entry["framework"] == framework)


def wait_until_restarted(client, pid):
    """Return the victim's entry once another child is ready."""
    while True:
        entry = entry_of(client, VICTIM)
        if entry["ready"] and entry["pid"] != pid:
            return entry
        time.sleep(0.1)


def test_each_framework_computes_in_a_process_of_its_own(service):
    """Three children, none of them the server."""
    pids = {entry["pid"] for entry in service.get("/frameworks").json()["frameworks"]}

    assert len(pids) == len(FRAMEWORKS)
    assert len({Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] for pid in pids}) == 1


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGKILL, "its process was ended by SIGKILL"),
        (signal.SIGSEGV, "its process was ended by SIGSEGV"),
        (signal.SIGSTOP, f"a batch has taken over {HANG_S:.1f} s"),
    ],
)
def test_other_frameworks_lose_nothing(service, number, reason):
    """The others answer every request; the victim's fail with the reason until it is back, and are counted."""
    before = entry_of(service, VICTIM)
    with Load(str(service.base_url)) as load:
        load.wait_for(VICTIM, 20)
        os.kill(before["pid"], number)
        after = wait_until_restarted(service, before["pid"])
        load.wait_for(VICTIM, 20)
        for framework in OTHERS:
            load.wait_for(framework, max(1, 500 - len(load.responses[framework])))

    for framework in OTHERS:
        assert {status for status, _ in load.responses[framework]} == {200}
    failures = [text for status, text in load.responses[VICTIM] if status != 200]
    assert failures
    assert any(reason in text for text in failures), failures[:3]
    assert {status for status, _ in load.responses[VICTIM]} == {200, 503}
    assert after["restarts"] == before["restarts"] + 1
    assert (
        f'triptych_framework_restarts_total{{framework="{VICTIM}"}} {after["restarts"]:.1f}'
        in service.get("/metrics").text
    )
    assert not Path(f"/proc/{before['pid']}").exists()


def test_responses_are_those_of_the_default(service, tmp_path):
    """The same seed gives the same reconstruction with and without child processes."""
    images = np.random.default_rng(1).random((3, 784), dtype=np.float32).tolist()

    with serving(log=tmp_path / "log") as plain:
        wait_until_settled(plain)
        for framework in FRAMEWORKS:
            path = f"/reconstruct?framework={framework}&seed=7"
            isolated, expected = (http.post(path, json={"images": images}).json() for http in (service, plain))
            np.testing.assert_allclose(isolated["probs"], expected["probs"], atol=1e-5)


def test_memory_limit_restarts_the_child(tmp_path):
    """A child beyond its limit is killed; the reason names the limit."""
    log = tmp_path / "log"
    with serving("--isolate", "true", "--max-isolated-bytes", str(2**20), "--frameworks", VICTIM, log=log) as client:
        while "more than the limit of 1048576" not in log.read_text():
            time.sleep(0.1)

        assert client.get("/healthz").status_code == 200
