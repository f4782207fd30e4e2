"""Emits the spans of a completed request from its time stamps. The only module that imports OpenTelemetry.

Its ready-made middleware would take longer than a model does for an image, even for requests that aren't sampled.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import get_global_textmap
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    format_trace_id,
)

from app.observability.access_log import describe_error
from app.observability.timings import BatchTimes, Timings

_SHUTDOWN_S: Final = 3.0


def otlp_tracer(*, version: str) -> "SpanTracer":
    """Return a tracer that exports by OTLP over HTTP; the OTEL_* variables set all the rest."""
    resource = Resource.create({SERVICE_VERSION: version})
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "triptych"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    return SpanTracer(provider, BatchSpanProcessor(OTLPSpanExporter()))


class SpanTracer:
    """Emits a span per request, with children for its stages, once it is complete.

    A batch's span is a child of the first of its requests that is sampled; the model spans of all of them link to it.
    """

    def __init__(self, provider: TracerProvider, processor: SpanProcessor) -> None:
        """The processor exports what the provider samples."""
        provider.add_span_processor(processor)
        self._provider = provider
        self._processor = processor
        self._scope = InstrumentationScope("triptych", "")
        self._tracer = provider.get_tracer(self._scope.name)
        self._propagator = get_global_textmap()
        self._fields = frozenset(name.encode() for name in self._propagator.fields)

    def record(self, scope: Mapping[str, Any], *, route: str, status: int) -> str:
        """Emit the spans of a request, and return its trace ID."""
        state = scope["state"]
        clock = _Clock()
        span = self._tracer.start_span(
            f"{scope['method']} {route}",
            self._parent(scope),
            SpanKind.SERVER,
            _attributes(scope, route, status),
            start_time=clock.to_ns(state["arrived"]),
        )
        if span.is_recording():
            if status >= 500:
                error = state.get("error")
                span.set_status(Status(StatusCode.ERROR, None if error is None else describe_error(error)))
            self._add_stages(span, state["arrived"], state.get("timings", ()), clock)
        span.end(clock.now_ns)
        return format_trace_id(span.get_span_context().trace_id)

    def shutdown(self) -> None:
        """Export the last spans, for a few seconds at most."""
        # The exporter would try for longer if nobody receives.
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(_SHUTDOWN_S)

    def _parent(self, scope: Mapping[str, Any]) -> Context:
        carrier: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name in self._fields:
                key, text = name.decode(), value.decode("latin-1")
                # Several of a name are one list (RFC 9110, section 5.2), which is no valid traceparent.
                carrier[key] = f"{carrier[key]},{text}" if key in carrier else text
        return self._propagator.extract(carrier, Context()) if carrier else Context()

    def _add_stages(self, request: Span, arrived: float, timings: tuple[Timings, ...], clock: "_Clock") -> None:
        jobs = [job for timing in timings for job in list(timing.jobs)]
        if not jobs:
            return
        parent = request.get_span_context()

        def add(name: str, start: float, end: float | None, *links: Link, **attributes: str | int) -> SpanContext:
            # Made without the SDK's Span, which takes five times as long; a child is sampled as its parent is.
            context = SpanContext(
                parent.trace_id,
                self._provider.id_generator.generate_span_id(),
                is_remote=False,
                trace_flags=parent.trace_flags,
                trace_state=parent.trace_state,
            )
            span = ReadableSpan(
                name,
                context,
                parent,
                self._provider.resource,
                attributes,
                links=links,
                start_time=clock.to_ns(start),
                end_time=clock.now_ns if end is None else clock.to_ns(end),
                instrumentation_scope=self._scope,
            )
            self._processor.on_end(span)
            return context

        def add_batch(batch: BatchTimes) -> SpanContext:
            if not isinstance(batch.span_context, SpanContext):
                named: dict[str, str | int] = {"triptych.framework": batch.framework, "triptych.rows": batch.rows}
                batch.span_context = add("batch", batch.started, batch.ended, **named)
            assert isinstance(batch.span_context, SpanContext)
            return batch.span_context

        add("read", arrived, min(job.queued for job in jobs if job.queued is not None))
        for queued, batch in jobs:
            framework = {"triptych.framework": batch.framework}
            if queued is not None:
                add("queue", queued, batch.started, **framework)
            add("model", batch.started, batch.ended, Link(add_batch(batch)), **framework)
        add("write", max(job.batch.ended for job in jobs), None)


class _Clock:
    """Converts time stamps of `time.perf_counter` to nanoseconds since the epoch."""

    def __init__(self) -> None:
        self.now_ns = time.time_ns()
        self._offset_ns = self.now_ns - time.perf_counter_ns()

    def to_ns(self, stamp: float) -> int:
        """Return a time stamp, never later than now."""
        return min(int(stamp * 1e9) + self._offset_ns, self.now_ns)


def _attributes(scope: Mapping[str, Any], route: str, status: int) -> dict[str, str | int]:
    """Return the attributes of the request's span, by OpenTelemetry's conventions for HTTP servers."""
    state = scope["state"]
    attributes: dict[str, str | int] = {
        "http.request.method": scope["method"],
        "http.response.status_code": status,
        "http.route": route,
        "url.path": scope["path"],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
        "triptych.request_id": state["request_id"],
    }
    if scope["client"]:
        attributes["client.address"] = scope["client"][0]
    if framework := state.get("framework"):
        attributes["triptych.framework"] = framework
    if timings := state.get("timings"):
        attributes["triptych.images"] = max(timing.rows for timing in timings)
    if status >= 500:
        attributes["error.type"] = str(status)
    return attributes
