"""Fixtures that run tests both ways: with the fast path, and with every request handled by the application."""

import pytest

from tests.support.app import make_service, running


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast path", "ASGI"], autouse=True)
def way(request):
    """Set whether the services of a test have a fast path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIPTYCH_FAST_PATH", request.param)
        yield request.param


@pytest.fixture(scope="module")
def client(way, checkpoints):
    """A client of a service whose three frameworks are ready."""
    with running(make_service(checkpoints, fast_path=way == "true")) as client:
        yield client
