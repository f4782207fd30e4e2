"""Waits before a backend that isn't ready is asked again."""

import pytest

from app.backoff import Backoff
from app.errors import OverloadedError
from app.inference.adapters.base import AdapterError
from app.inference.adapters.numpy_adapter import load_numpy
from app.inference.adapters.remote_adapter import RemoteAdapter
from tests.support.app import MODEL, make_service, running, wait_until

FAILURES = 7


@pytest.fixture
def waits(monkeypatch):
    """The seconds between attempts, none of which is waited for."""
    delays = []
    original = Backoff.next_s

    def next_s(self):
        delays.append(original(self))
        return 0

    monkeypatch.setattr(Backoff, "next_s", next_s)
    return delays


def test_backend_is_asked_every_few_seconds(checkpoints, waits):
    """A backend may need a minute to start; it serves within seconds after that, however often it was asked in vain."""
    attempts = []

    def load(framework, **options):
        attempts.append(framework)
        if len(attempts) <= FAILURES:
            raise AdapterError("its backend can't be reached")
        return load_numpy(framework, **options)

    app = make_service(checkpoints, load=load, frameworks="jax", backends="jax=http://127.0.0.1:9")
    with running(app, waits=False) as client:
        wait_until(lambda: client.get("/frameworks").json()["frameworks"][0]["ready"])

    assert waits == [1, 2, 4, 4, 4, 4, 4]


def test_backend_that_is_busy_is_asked_again(checkpoints, waits):
    """A 429 while the model's metadata is read is one line, and no end."""
    attempts = []

    def load(framework, **options):
        attempts.append(framework)
        if len(attempts) == 1:
            raise OverloadedError("the backend of jax has a full queue", retry_after_s=1)
        return load_numpy(framework, **options)

    app = make_service(checkpoints, load=load, frameworks="jax", backends="jax=http://127.0.0.1:9")
    with running(app, waits=False) as client:
        wait_until(lambda: client.get("/frameworks").json()["frameworks"][0]["ready"])

    assert len(attempts) == 2


@pytest.mark.parametrize("checkpoint", [12345, {"id": "x"}, ["x"]])
def test_backend_whose_checkpoint_has_no_name_is_refused(monkeypatch, checkpoint):
    """Responses and status could not name it."""
    monkeypatch.setattr(RemoteAdapter, "_read_model", lambda _: MODEL)
    monkeypatch.setattr(RemoteAdapter, "_read_max_batch", lambda _: 8)
    monkeypatch.setattr(RemoteAdapter, "_infer", lambda *_: ([], {"checkpoint": checkpoint}))

    with pytest.raises(AdapterError, match="no string"):
        RemoteAdapter("http://127.0.0.1:9", framework="jax", timeout_s=1)


def test_waits_begin_again_after_a_success_that_lasts(monkeypatch):
    """Waits double up to the longest; one that worked for longer than that is retried at once."""
    now = 0.0
    monkeypatch.setattr("app.backoff.time.monotonic", lambda: now)
    backoff = Backoff(longest_s=8)

    waits = [backoff.next_s() for _ in range(5)]
    now = 17.0

    assert waits == [1, 2, 4, 8, 8]
    assert backoff.next_s() == 1
