"""The access log: one line per request with the same fields on both ways, and nothing of the client's unescaped."""

import json
import logging
import socket
import subprocess
import sys

import pytest

from app.observability.log_config import JsonFormatter, TextFormatter
from tests.support.app import make_images, make_service, post_npy, running, wait_until
from training.frameworks import FRAMEWORKS

SECRET = "a-secret-key"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def lines(caplog):
    """A function that returns the access log's fields, once there are so many lines."""
    caplog.set_level(logging.INFO, "app.access")

    def wait(count):
        def records():
            return [record for record in caplog.records if record.name == "app.access"]

        wait_until(lambda: len(records()) >= count)
        return [json.loads(JsonFormatter().format(record)) for record in records()]

    return wait


def test_time_is_utc_with_milliseconds():
    """In ISO 8601, whichever second came before."""
    created = [0.0, 0.0625, 86_399.5, 0.5]
    records = [logging.makeLogRecord({"created": time, "msecs": time % 1 * 1e3}) for time in created]

    times = [json.loads(JsonFormatter().format(record))["time"] for record in records]

    assert times == [
        "1970-01-01T00:00:00.000+00:00",
        "1970-01-01T00:00:00.062+00:00",
        "1970-01-01T23:59:59.500+00:00",
        "1970-01-01T00:00:00.500+00:00",
    ]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_line_has_the_fields_of_a_request(checkpoints, lines, framework):
    """ID, route, framework, images, status, times, client and trace ID."""
    headers = {"X-Request-ID": "mine-1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    with running(make_service(checkpoints, frameworks=framework, access_log=True)) as client:
        post_npy(client, "/reconstruct?seed=7", make_images(3), **headers)
        line = lines(2)[-1]

    assert 0 <= line.pop("model_ms") <= line["total_ms"]
    assert 0 <= line.pop("queue_ms") <= line.pop("total_ms")
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "app.access",
        "message": "POST /reconstruct 200",
        "id": "mine-1",
        "method": "POST",
        "route": "/reconstruct",
        "status": 200,
        "framework": framework,
        "images": 3,
        "client": "127.0.0.1",
        "trace_id": TRACE,
    }


def test_line_has_the_name_of_the_requested_model(checkpoints, lines):
    """If the request names one that exists."""
    with running(make_service(checkpoints, frameworks="jax", access_log=True)) as client:
        for name in ("model", "absent"):
            post_npy(client, f"/encode?model={name}", make_images(1))
        first, second = lines(3)[1:]

    assert (first["status"], first["model"]) == (200, "model")
    assert second["status"] == 404
    assert "model" not in second


def test_no_line_unless_it_is_set(checkpoints, caplog):
    """By default requests aren't logged."""
    caplog.set_level(logging.INFO)
    with running(make_service(checkpoints, frameworks="jax")) as client:
        post_npy(client, "/encode", make_images(1))

    assert not [record for record in caplog.records if record.name in {"app.access", "uvicorn.access"}]


def test_other_server_logs_no_second_line(checkpoints, lines, caplog):
    """uvicorn's own access log is silent."""
    with running(make_service(checkpoints, frameworks="jax", access_log=True)) as client:
        client.get("/healthz")
        client.head("/healthz")
        access_lines = lines(3)

    assert [line["method"] for line in access_lines] == ["GET", "GET", "HEAD"]
    assert not [record for record in caplog.records if record.name == "uvicorn.access"]


@pytest.mark.parametrize("path", ["/encode", "/score", "/v2/models/jax-vae/infer", "/nowhere"])
def test_keys_and_bodies_are_never_logged(checkpoints, lines, path, caplog):
    """Neither a key in a header or a query, nor a part of a body is in a line."""
    caplog.set_level(logging.DEBUG)
    app = make_service(checkpoints, frameworks="jax", access_log=True, api_keys=SECRET)
    with running(app) as client:
        for headers in ({"X-API-Key": SECRET}, {"Authorization": f"Bearer {SECRET}"}, {"X-API-Key": SECRET + "x"}):
            body = {"images": ["not-an-image"], "seed": "of-the-body"}
            client.post(f"{path}?api_key={SECRET}&seed={SECRET}", json=body, headers=headers)
        access_lines = lines(4)

    assert all(line["status"] >= 400 for line in access_lines[1:])
    # The client of this test logs its requests, too.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    logged = "\n".join(logged)
    for secret in (SECRET, "not-an-image", "of-the-body"):
        assert secret not in logged
        assert secret not in json.dumps(access_lines)


def test_strings_of_clients_are_escaped(checkpoints, lines):
    """A path can forge neither a line nor a field."""
    with running(make_service(checkpoints, frameworks="jax", access_log=True)) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port)) as wire:
            wire.sendall(b'GET /a%0Astatus=200"\x1b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
            wire.recv(10_000)
        client.get("/nowhere%0Ahere id=forged")
        access_lines = lines(3)[1:]

    assert all(line["status"] in {400, 404} and line["route"] == "other" for line in access_lines)
    for line in access_lines:
        record = logging.makeLogRecord({"msg": line["message"], "fields": line})
        text = TextFormatter().format(record)
        assert text.isprintable()
        assert " status=" not in text
        assert " id=forged" not in text


def test_errors_are_logged_with_their_cause(checkpoints, lines):
    """The server's faults with their message, the client's with their kind alone, which quotes nothing."""
    app = make_service(checkpoints, frameworks="jax", access_log=True, request_timeout_s=1e-9)
    with running(app) as client:
        client.post("/encode", content=b"broken", headers={"Content-Type": "text/plain"})
        client.get("/sample")
        access_lines = lines(3)

    assert access_lines[-2]["error"] == "UnsupportedContentError"
    assert access_lines[-1]["status"] == 504
    assert access_lines[-1]["error"].startswith("DeadlinePassedError: the response took longer")


def test_request_that_the_parser_rejects_has_a_line(checkpoints, lines):
    """The ID is that of the response."""
    with running(make_service(checkpoints, frameworks="jax", access_log=True)) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port)) as wire:
            wire.sendall(b"nonsense\r\n\r\n")
            answer = wire.recv(10_000).decode()
        line = lines(2)[-1]

    assert line["status"] == 400
    assert f"x-request-id: {line['id']}" in answer.lower()


def test_exceptions_are_one_line_of_json():
    """A traceback is a field."""
    try:
        int("two\nlines")
    except ValueError:
        record = logging.LogRecord("app", logging.ERROR, "", 0, "request %s failed", ("1",), sys.exc_info())

    text = JsonFormatter().format(record)

    assert "\n" not in text
    assert json.loads(text)["message"] == "request 1 failed"
    assert "ValueError: invalid literal" in json.loads(text)["exception"]


@pytest.mark.parametrize(("chosen", "is_json"), [("auto", True), ("json", True), ("text", False)])
def test_format_is_json_where_nobody_reads(chosen, is_json):
    """On a pipe auto is JSON."""
    program = (
        f"import logging; from app.observability.log_config import configure_logs; configure_logs('info', {chosen!r}); "
    )
    program += "logging.getLogger('app').info('a line')"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr.startswith("{") is is_json
    assert "a line" in done.stderr
