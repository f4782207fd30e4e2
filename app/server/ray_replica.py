"""The service on Ray Serve, where a replica is the whole application: `deploy/ray/serve.yaml` names this module.

Ray's proxy accepts the connections, so neither the limits of connections nor the fast path apply.
"""

import logging
import time
from functools import partial
from typing import Any, Final, cast

import ray
from ray import serve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_keys import read_keys
from app.errors import StartupError
from app.inference.models.placement import choose_load
from app.inference.models.registry import Registry
from app.main import create_app
from app.observability.log_config import configure_logs
from app.observability.request_ids import read_request_id
from app.process_tuning import freeze_gc, raise_gc_threshold, tune_malloc
from app.protocol.forwarded import TrustedProxies, apply_forwarded
from app.server.run import check_servable
from app.settings import Settings
from training.process.environment import pin_environment, tolerate_warnings

logger = logging.getLogger(__name__)

_UNUSED: Final = frozenset(
    {
        "grpc_port",
        "headers_timeout_s",
        "host",
        "keep_alive_s",
        "listen_when_ready",
        "max_connections",
        "max_header_bytes",
        "port",
        "shutdown_timeout_s",
        "transfer_timeout_s",
        "workers",
    }
)
"""Settings of a process that accepts connections itself."""


class Triptych:
    """A replica: the application with its own models and batchers."""

    def __init__(self, settings: Settings) -> None:
        configure_logs(settings.log_level, settings.log_format)
        tolerate_warnings()
        tune_malloc()
        raise_gc_threshold()
        freeze_gc()
        pin_environment()
        cpus = ray.get_runtime_context().get_assigned_resources().get("CPU", 1)
        self._settings = settings
        self._registry = Registry(settings, load=choose_load(settings, threads=max(1, int(cpus))))

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application, whose lifespan Ray runs; the replica is ready once its models are loaded."""
        app = create_app(self._settings, self._registry)
        app.state.wait_for_models = True
        return RequestPreparer(app, self._settings)

    def check_health(self) -> None:
        """Raise an error if no framework can be served; Ray then replaces the replica."""
        if self._registry.all_failed:
            raise StartupError("\n".join(str(state.reason) for state in self._registry.states))


class RequestPreparer:
    """Does for a request what a connection of the service does: its ID, trusted proxies, the security header."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._root_path = settings.root_path

    # uvicorn, which Ray runs, recognizes ASGI 3 by a coroutine function that is called `__call__`.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the lifespan."""
        if scope["type"] == "http":
            scope["state"] = {"arrived": time.perf_counter(), "request_id": read_request_id(scope["headers"])}
            apply_forwarded(
                cast("dict[str, Any]", scope),
                root_path=self._root_path or scope.get("root_path", "").rstrip("/"),
                proxy=self._proxies if scope.get("client") and scope["client"][0] in self._proxies else None,
            )
            send = partial(_send_with_header, send)
        await self._app(scope, receive, send)


async def _send_with_header(send: Send, message: Message) -> None:
    # Ray adds the request's ID.
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
    await send(message)


def build(settings: Settings) -> Any:
    """Return the application for Ray Serve; the settings are the `args` of the file, and the TRIPTYCH_* variables.

    Raises:
        StartupError: No framework can be served, or the rate limit would be the same for all clients.
    """
    check_servable(settings)
    if settings.rate_limit and not read_keys(settings):
        raise StartupError(
            "TRIPTYCH_RATE_LIMIT counts clients without keys by address, and behind Ray's proxy all have the same: "
            "set TRIPTYCH_API_KEYS too, or leave the rate limit to a proxy before Ray"
        )
    if unused := sorted(settings.model_fields_set & _UNUSED):
        logger.warning("ignored, because Ray's proxy accepts the connections: %s", ", ".join(unused))
    # Above all queues' limits together, so that a full queue gets the service's 429 with its problem document.
    most = len(settings.frameworks) * settings.max_queue_images + 1
    replica = serve.deployment(serve.ingress()(Triptych), name="Triptych", max_ongoing_requests=most)
    return replica.bind(settings)
