"""Requests to a backend that isn't there."""

import errno
import os
import socket

import pytest

from app.inference.adapters.base import AdapterError
from app.inference.adapters.remote_backend import RemoteBackend


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    ],
)
def test_backend_without_a_connection_is_named_unreachable(monkeypatch, failure):
    """A wrong port or name is not reported as a slow backend."""

    def fail(*_args):
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    backend = RemoteBackend("http://backend:8000", framework="jax", key=None, timeout_s=9, concurrency=1)

    with pytest.raises(AdapterError) as error_info:
        backend.get_json("/v2")

    assert str(error_info.value) == f"its backend can't be reached ({failure.strerror})"
