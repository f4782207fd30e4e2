"""Switch for tracing, set by OpenTelemetry's standard variables. Imports OpenTelemetry only if it is on."""

import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

logger = logging.getLogger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP: Final = "http/protobuf"


class RequestTracer(Protocol):
    """Emits the spans of completed requests."""

    def record(self, scope: Mapping[str, Any], *, route: str, status: int) -> str:
        """Emit the spans of a request, and return its trace ID."""
        ...

    def shutdown(self) -> None:
        """Export the last spans, for a few seconds at most."""
        ...


def create_tracer(variables: Mapping[str, str], *, version: str) -> RequestTracer | None:
    """Return a tracer if the variables name an endpoint or an exporter; None otherwise, or without the extra."""
    exporter = variables.get(_EXPORTER, "").strip()
    is_disabled = variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_disabled or exporter == "none" or not (exporter or any(variables.get(name) for name in ENDPOINTS)):
        return None
    protocol = next((variables[name] for name in _PROTOCOLS if variables.get(name)), _HTTP)
    if exporter not in {"", "otlp"} or protocol != _HTTP:
        unsupported = f"OTLP over {protocol}" if exporter in {"", "otlp"} else f"{_EXPORTER}={exporter}"
        logger.warning("requests are not traced: %.80r is not supported, only OTLP over %s", unsupported, _HTTP)
        return None
    try:
        from app.observability.spans import otlp_tracer  # noqa: PLC0415 -- an extra of its own
    except ModuleNotFoundError as error:
        logger.warning("requests are not traced: %s is missing: pip install 'triptych[otel]'", error.name)
        return None
    return otlp_tracer(version=version)
