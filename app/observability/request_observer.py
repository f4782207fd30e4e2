"""Observes each request at its end, whichever way it took: counts it, logs it and traces it, as the settings say."""

from collections.abc import Mapping
from typing import Any

from app.observability.access_log import log_request, read_trace_id
from app.observability.metrics import Metrics
from app.observability.tracing import RequestTracer


class RequestObserver:
    """Counts all requests; logs and traces them where that is on.

    A request's `scope["state"]` has what it learned of itself: `request_id` and `arrived`; and where there is such a
    thing, `framework`, the name of the requested `model`, the `Timings` of its sessions as `timings`, and the `error`
    of which its response reports.
    """

    def __init__(self, metrics: Metrics, *, access_log: bool, tracer: RequestTracer | None) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._tracer = tracer

    def complete(self, scope: Mapping[str, Any], *, route: str, status: int) -> None:
        """Observe a response; the route is one that exists, never a client's own path."""
        state = scope["state"]
        self._metrics.observe_response(
            state["arrived"],
            route=route,
            framework=state.get("framework"),
            status=status,
            timings=state.get("timings", ()),
        )
        trace_id = None
        if self._tracer is not None:
            trace_id = self._tracer.record(scope, route=route, status=status)
        if self._access_log:
            trace_id = trace_id or read_trace_id(scope["headers"])
            log_request(scope, route=route, status=status, trace_id=trace_id)
        state.pop("error", None)  # its traceback refers to the request

    def close(self) -> None:
        """Export the last spans."""
        if self._tracer is not None:
            self._tracer.shutdown()
