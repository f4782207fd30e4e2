"""Switch for tracing, set by OpenTelemetry's standard variables. Imports OpenTelemetry only if it is on."""

import logging
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol

logger = logging.getLogger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP: Final = "http/protobuf"
_PROPAGATORS: Final = "OTEL_PROPAGATORS"


def ignore_unknown_propagators() -> None:
    """Unset the variable of propagators, with a warning, if one isn't installed: FastAPI can't be imported then."""
    if not os.environ.get(_PROPAGATORS):
        return
    try:
        import_module("opentelemetry.propagate")
    except ModuleNotFoundError:
        pass  # FastAPI goes without it
    except ValueError as error:
        logger.warning("%s=%.80s is ignored: %s", _PROPAGATORS, os.environ.pop(_PROPAGATORS), error)


class RequestTracer(Protocol):
    """Emits the spans of completed requests."""

    def record(self, scope: Mapping[str, Any], *, route: str, status: int) -> str:
        """Emit the spans of a request, and return its trace ID."""
        ...

    def shutdown(self) -> None:
        """Export the last spans, for a few seconds at most."""
        ...


def create_tracer(variables: Mapping[str, str], *, version: str) -> RequestTracer | None:
    """Return a tracer if the variables name an endpoint or an exporter.

    Return None otherwise; and, with a warning, without the extra or if a variable is wrong.
    """
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

        return otlp_tracer(version=version)
    except ModuleNotFoundError as error:
        logger.warning("requests are not traced: %s is missing: pip install 'triptych[otel]'", error.name)
    except ValueError as error:
        logger.warning("requests are not traced: an OTEL_* variable is wrong: %s", error)
    return None
