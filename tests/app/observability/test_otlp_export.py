"""Tracing as a user turns it on: by OTEL_* variables, with a receiver of OTLP over HTTP that parses the protobuf."""

import gzip
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from app.observability.tracing import create_tracer
from tests.support.app import make_images, make_service, post_npy, running
from tests.support.service_process import environment

TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def receiver():
    """Yield the URL of an OTLP receiver, and the list of the requests that it has got."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append(ExportTraceServiceRequest.FromString(body))
            content = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(items):
    """Return OTLP's attributes as a dictionary."""
    return {item.key: item.value.string_value or item.value.int_value for item in items}


@pytest.mark.parametrize("variables", [{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_SERVICE_NAME": "mine"}])
def test_spans_reach_a_collector(checkpoints, monkeypatch, variables):
    """The last spans are exported at the end, under the service's name, in the client's trace."""
    with receiver() as (url, received):
        for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": url, **variables}.items():
            monkeypatch.setenv(name, value)
        app = make_service(checkpoints, frameworks="jax")
        with running(app) as client:
            post_npy(client, "/reconstruct", make_images(2), traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
        app.state.observer.close()

    (resource,) = (spans for request in received for spans in request.resource_spans)
    assert attributes(resource.resource.attributes)["service.name"] == variables.get("OTEL_SERVICE_NAME", "triptych")
    spans = [span for scope in resource.scope_spans for span in scope.spans if span.trace_id.hex() == TRACE]
    assert {span.name for span in spans} == {"POST /reconstruct", "read", "queue", "model", "batch", "write"}
    by_name = {span.name: span for span in spans}
    assert by_name["model"].links[0].span_id == by_name["batch"].span_id
    assert attributes(by_name["POST /reconstruct"].attributes)["triptych.images"] == 2


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_SERVICE_NAME": "mine"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "True"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_no_tracer_unless_the_variables_ask_for_one(variables, caplog):
    """Without an endpoint, or disabled, there is none, and nothing is logged."""
    assert create_tracer(variables, version="0") is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTLP over grpc"),
    ],
)
def test_unsupported_exporter_is_named(variables, named, caplog):
    """An exporter that isn't supported is named in one line, and the service starts without tracing."""
    assert create_tracer(variables, version="0") is None
    assert named in caplog.text


@pytest.mark.parametrize("variable", ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"])
def test_wrong_variable_is_a_warning(monkeypatch, caplog, variable):
    """A value that OpenTelemetry refuses leaves requests without a trace, and not without a service."""
    monkeypatch.setenv(variable, "-1")

    assert create_tracer({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, version="0") is None
    assert "requests are not traced: an OTEL_* variable is wrong: " in caplog.text


def test_propagator_that_is_not_installed_is_ignored():
    """FastAPI's import reads the variable, whether or not requests are traced."""
    program = "from app.observability import tracing; tracing.ignore_unknown_propagators(); import app.main"
    variables = environment(OTEL_PROPAGATORS="tracecontext,unknown")
    result = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)

    assert result.stderr.startswith("OTEL_PROPAGATORS=tracecontext,unknown is ignored: Propagator unknown not found")
    assert result.stderr.count("\n") == 1


def test_missing_extra_is_named(monkeypatch, caplog):
    """An endpoint without the extra is a warning with the command that installs it."""
    monkeypatch.setitem(sys.modules, "app.observability.spans", None)
    monkeypatch.delitem(sys.modules, "app.observability.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    assert create_tracer({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, version="0") is None
    assert "pip install 'triptych[otel]'" in caplog.text


def test_service_without_tracing_imports_no_sdk():
    """Off, tracing costs not even an import; FastAPI imports OpenTelemetry's API by itself."""
    program = "import sys, app.main, app.server.run; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    modules = done.stdout.split()
    assert "app.observability.tracing" in modules
    assert not [name for name in modules if name.startswith(("app.observability.spans", "opentelemetry.sdk"))]
    assert not [name for name in modules if name.startswith("opentelemetry.exporter")]
