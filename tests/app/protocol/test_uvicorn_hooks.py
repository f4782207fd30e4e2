"""The parts of uvicorn that the protocol overrides or calls, none of which uvicorn promises to keep."""

import inspect

import httptools
import pytest
import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

OVERRIDDEN = {
    "_start_asgi_task": ["self", "cycle", "app"],
    "on_message_begin": ["self"],
    "on_header": ["self", "name", "value"],
    "on_headers_complete": ["self"],
    "on_body": ["self", "body"],
    "on_message_complete": ["self"],
    "on_response_complete": ["self"],
    "send_400_response": ["self", "msg"],
    "data_received": ["self", "data"],
    "shutdown": ["self"],
}

STATE = (
    "flow",
    "pipeline",
    "cycle",
    "scope",
    "headers",
    "url",
    "parser",
    "server_state",
    "timeout_keep_alive",
    "transport",
)

CYCLE = (
    "scope",
    "body",
    "more_body",
    "keep_alive",
    "disconnected",
    "message_event",
    "response_started",
    "response_complete",
    "waiting_for_100_continue",
    "default_headers",
    "on_response",
    "access_log",
)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_overridden_method_is_uvicorns(name):
    """Each method that is overridden is there, with these parameters."""
    assert list(inspect.signature(getattr(HttpToolsProtocol, name)).parameters) == OVERRIDDEN[name]


def test_attributes_are_uvicorns():
    """Each attribute that is read or set is one of a connection or of a request."""
    connection, cycle = inspect.getsource(HttpToolsProtocol), inspect.getsource(RequestResponseCycle)

    assert [name for name in STATE if f"self.{name}" not in connection] == []
    assert [name for name in CYCLE if f"self.{name}" not in cycle] == []
    assert httptools_impl.STATUS_LINE[200] == b"HTTP/1.1 200 OK\r\n"


def test_requests_are_started_by_the_hook():
    """uvicorn starts each request by `_start_asgi_task`, pipelined or not, and has `send` replaced."""
    for method in (HttpToolsProtocol.on_headers_complete, HttpToolsProtocol.on_response_complete):
        assert "self._start_asgi_task(" in inspect.getsource(method)
    assert "self.send" in inspect.getsource(RequestResponseCycle.run_asgi)


def test_servers_hooks_are_uvicorns():
    """The server's methods that are overridden are there."""
    for name in ("handle_exit", "capture_signals", "startup", "on_tick", "shutdown"):
        assert callable(getattr(uvicorn.Server, name))


def test_upgrade_says_where_it_begins():
    """httptools tells by its exception how many bytes it has parsed before an offer of another protocol."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"

    with pytest.raises(httptools.HttpParserUpgrade) as caught:
        httptools.HttpRequestParser(object()).feed_data(head + b"rest")

    assert caught.value.args[0] == len(head)
