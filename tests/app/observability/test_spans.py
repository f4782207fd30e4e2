"""The spans of requests, on both ways of a request, with OpenTelemetry's in-memory exporter."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from app.errors import FrameworkFaultError
from app.inference.adapters.numpy_adapter import NumpyAdapter
from tests.support.app import load_jax_as, make_images, make_service, post_npy, running, wait_until
from tests.support.clients.fast_path_client import gated
from training.frameworks import FRAMEWORKS

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def spans_of(exporter):
    """Return the finished spans by name; several of a name are a list in the order of their start."""
    spans = {}
    for span in sorted(exporter.get_finished_spans(), key=lambda span: span.start_time):
        spans.setdefault(span.name, []).append(span)
    return spans


def wait_for_spans(exporter, name):
    """Return the finished spans by name, once one of this name is there: it follows the response."""
    wait_until(lambda: name in spans_of(exporter))
    return spans_of(exporter)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_request_has_a_span_for_each_stage(checkpoints, exporter, framework):
    """Read, queue, model and write follow each other within the request's span, and the model's links to its batch."""
    before = time.time_ns()
    with running(make_service(checkpoints, frameworks=framework)) as client:
        response = post_npy(client, f"/reconstruct?framework={framework}", make_images(3), **{"X-Request-ID": "mine"})
        spans = wait_for_spans(exporter, "POST /reconstruct")
    after = time.time_ns()

    assert response.status_code == 200
    (request,), stages = spans["POST /reconstruct"], [spans[name][0] for name in ("read", "queue", "model", "write")]
    assert before <= request.start_time == stages[0].start_time
    for stage, next_stage in pairwise(stages):
        assert stage.start_time <= stage.end_time == next_stage.start_time
    assert stages[-1].end_time == request.end_time <= after
    assert {span.parent.span_id for span in [*stages, spans["batch"][0]]} == {request.context.span_id}
    assert spans["model"][0].links[0].context == spans["batch"][0].context
    assert dict(spans["batch"][0].attributes) == {"triptych.framework": framework, "triptych.rows": 3}
    assert request.attributes["triptych.images"] == 3
    assert request.attributes["triptych.framework"] == framework
    assert request.attributes["triptych.request_id"] == "mine"
    assert request.attributes["http.route"] == "/reconstruct"
    assert request.attributes["http.response.status_code"] == 200


def test_trace_of_the_client_continues(checkpoints, exporter):
    """`traceparent` gives the trace and the parent, `tracestate` is kept."""
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=value"}
    with running(make_service(checkpoints, frameworks="jax")) as client:
        post_npy(client, "/encode", make_images(1), **headers)
        (request,) = wait_for_spans(exporter, "POST /encode")["POST /encode"]

    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert request.context.trace_state.get("vendor") == "value"


@pytest.mark.parametrize("value", ["", "00", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "x" * 2000])
def test_invalid_traceparent_starts_a_trace(checkpoints, exporter, value):
    """A header that breaks the W3C's rules is ignored."""
    with running(make_service(checkpoints, frameworks="jax")) as client:
        response = post_npy(client, "/encode", make_images(1), traceparent=value)
        (request,) = wait_for_spans(exporter, "POST /encode")["POST /encode"]

    assert response.status_code == 200
    assert request.parent is None
    assert f"{request.context.trace_id:032x}" != TRACE


RECORD_SPAN = """
import sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from app.observability.log_config import configure_logs
from app.observability.spans import SpanTracer

configure_logs("info", "text")
memory = InMemorySpanExporter()
headers = [tuple(part.encode() for part in line.split(": ")) for line in sys.argv[1:]]
scope = {"method": "GET", "path": "/", "scheme": "http", "http_version": "1.1", "client": None, "headers": headers}
state = {"arrived": time.perf_counter(), "request_id": "1"}
SpanTracer(TracerProvider(), SimpleSpanProcessor(memory)).record({**scope, "state": state}, route="/", status=200)
assert len(memory.get_finished_spans()) == 1
"""


@pytest.mark.parametrize(
    "headers",
    [
        {"tracestate": "=,="},
        {"tracestate": "a=1,a=2"},
        {"tracestate": ",".join(f"a{number}=1" for number in range(40))},
        {"tracestate": f"a={'x' * 9000}"},
        {"baggage": "=,;,a,b=%ff"},
        {"baggage": f"a={'x' * 9000}"},
        {"baggage": ",".join(f"a{number}=1" for number in range(400))},
        {"traceparent": "nonsense"},
    ],
)
def test_invalid_headers_of_a_trace_write_no_line(headers):
    """A client can't fill the log, nor write its own text there."""
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"} | headers
    lines = [f"{name}: {value}" for name, value in headers.items()]

    done = subprocess.run([sys.executable, "-c", RECORD_SPAN, *lines], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("", "")


def test_unsampled_trace_is_not_recorded(checkpoints, exporter):
    """The client's decision not to sample holds for the request and its stages."""
    with running(make_service(checkpoints, frameworks="jax")) as client:
        post_npy(client, "/encode", make_images(1), traceparent=f"00-{TRACE}-{PARENT}-00")
        post_npy(client, "/decode", np.zeros((1, 20), np.float32))
        spans = wait_for_spans(exporter, "POST /decode")

    assert set(spans) == {"GET /healthz", "POST /decode", "read", "queue", "model", "batch", "write"}
    assert len(spans["read"]) == 1


def test_requests_that_share_a_batch_link_to_one_span(checkpoints, exporter):
    """The batch is one span, in the trace of the first of its requests."""
    latents = np.zeros((1, 20), np.float32)
    with gated(checkpoints) as (app, adapter, client):
        adapter.shut()
        with ThreadPoolExecutor(4) as pool:
            first = pool.submit(post_npy, client, "/decode", latents)
            assert adapter.begun.wait(20)
            others = [pool.submit(post_npy, client, "/decode", latents) for _ in range(3)]
            batcher = app.state.registry.get("jax").batcher
            wait_until(lambda: batcher._rows == 4 and not batcher._outbox)
            adapter.gate.set()
            assert {future.result().status_code for future in [first, *others]} == {200}
        wait_until(lambda: len(spans_of(exporter).get("POST /decode", [])) == 4)
        spans = spans_of(exporter)

    assert sorted(span.attributes["triptych.rows"] for span in spans["batch"]) == [1, 3]
    shared = next(span for span in spans["batch"] if span.attributes["triptych.rows"] == 3)
    assert sum(span.links[0].context == shared.context for span in spans["model"]) == 3


def test_comparison_has_the_stages_of_each_framework(checkpoints, exporter):
    """Frameworks that compute side by side have a queue and a model span each."""
    with running(make_service(checkpoints)) as traced:
        post_npy(traced, "/compare", make_images(2))
        spans = wait_for_spans(exporter, "POST /compare")

    for name in ("queue", "model", "batch"):
        assert {span.attributes["triptych.framework"] for span in spans[name]} == set(FRAMEWORKS)


def test_rejected_request_has_a_span_without_stages(checkpoints, exporter):
    """A client's error is no error of the server, and has no stages."""
    with running(make_service(checkpoints, frameworks="jax")) as client:
        client.post("/encode", content=b"broken", headers={"Content-Type": "application/x-npy"})
        client.get("/nowhere/secret")
        spans = wait_for_spans(exporter, "GET other")

    assert set(spans) == {"GET /healthz", "POST /encode", "GET other"}
    assert spans["POST /encode"][0].status.is_unset
    assert spans["POST /encode"][0].attributes["http.response.status_code"] == 400


def test_server_error_is_an_error_of_the_span(checkpoints, exporter):
    """A 503 sets the status of the span, with its cause."""

    class BrokenForThree(NumpyAdapter):
        def decode(self, z):
            if len(z) == 3:
                raise RuntimeError("a fault")
            return super().decode(z)

    app = make_service(checkpoints, load=load_jax_as(BrokenForThree), frameworks="jax")
    with running(app) as client:
        response = post_npy(client, "/decode", np.zeros((3, 20), np.float32))
        (request,) = wait_for_spans(exporter, "POST /decode")["POST /decode"]

    assert response.status_code == 503
    assert not request.status.is_ok
    assert request.status.description.startswith(f"{FrameworkFaultError.__name__}: jax is out of service")
    assert request.attributes["error.type"] == "503"
