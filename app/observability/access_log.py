"""Logs one line per request. Never logs a query, a body or a header but the request ID, nor an unescaped string."""

import logging
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.errors import RequestError, ServiceError

logger: Final = logging.getLogger("app.access")

OTHER_ROUTE: Final = "other"
"""The route of a path that no route has."""

_MAX_PATH: Final = 200

_TRACE_PARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


def log_request(scope: Mapping[str, Any], *, route: str, status: int, trace_id: str | None) -> None:
    """Log a completed request; the route is one that exists, or `OTHER_ROUTE`."""
    if not logger.isEnabledFor(logging.INFO):
        return
    state = scope["state"]
    method, client = scope["method"], scope["client"]
    path = _shown_path(scope) if route == OTHER_ROUTE else route
    fields: dict[str, object] = {"id": state["request_id"], "method": method, "route": route}
    if path != route:
        fields["path"] = path
    fields["status"] = status
    if (framework := state.get("framework")) is not None:
        fields["framework"] = framework
    if (model := state.get("model")) is not None:
        fields["model"] = model
    total_ms = _ms(time.perf_counter() - state["arrived"])
    if timings := state.get("timings"):
        # Frameworks that compute side by side: the slowest.
        fields["images"] = max([timing.rows for timing in timings])
        fields["total_ms"] = total_ms
        fields["queue_ms"] = _ms(max([timing.queue_s for timing in timings]))
        fields["model_ms"] = _ms(max([timing.model_s for timing in timings]))
    else:
        fields["total_ms"] = total_ms
    if client:
        fields["client"] = client[0]
    if trace_id is not None:
        fields["trace_id"] = trace_id
    if (error := state.get("error")) is not None:
        fields["error"] = describe_error(error)
    _log(f"{method} {path} {status}", fields)


def log_rejection(status: int, detail: str, *, request_id: str, client: str | None) -> None:
    """Log a response to a request that the application never sees."""
    fields: dict[str, object] = {"id": request_id, "route": OTHER_ROUTE, "status": status}
    if client is not None:
        fields["client"] = client
    _log(f"rejected {status}", fields | {"error": detail})


def describe_error(error: Exception) -> str:
    """Return an error's name, and its message unless it may quote the client's request."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, ServiceError) and not isinstance(error, RequestError) else name


def read_trace_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the trace ID of a request's `traceparent` header."""
    matches = [_TRACE_PARENT.fullmatch(value) for name, value in headers if name == b"traceparent"]
    return matches[0][1].decode() if len(matches) == 1 and matches[0] else None


def _log(message: str, fields: Mapping[str, object]) -> None:
    # Not by `info`, which would find the caller's line: that takes longer than all the rest.
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, message, (), None, extra={"fields": fields})
    logger.handle(record)


def _shown_path(scope: Mapping[str, Any]) -> str:
    # As it was sent: percent-encoded, without the query.
    path: str = scope["raw_path"].decode("ascii", "backslashreplace")
    return path if len(path) <= _MAX_PATH else f"{path[:_MAX_PATH]}..."


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
