"""The gRPC server: its port, its bounds, and its end."""

import logging
from dataclasses import dataclass
from typing import Any, Final

import grpc

from app.api.middleware.access import AccessControl
from app.api.services import Services
from app.errors import StartupError
from app.open_inference.grpc_server.service import InferenceService
from app.open_inference.routes import EXTENSIONS

logger = logging.getLogger(__name__)

_MESSAGE_OVERHEAD: Final = 64 * 1024
"""Most bytes of a message beside its tensors."""

_ONLY_IDENTITY: Final = 1
"""No message compression: gRPC bounds a message before it is decompressed, and not after."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """A server that runs."""

    port: int
    _server: Any

    async def stop(self, seconds: float) -> None:
        """Accept no more calls, and give those that run so many seconds to end."""
        await self._server.stop(seconds)


async def start_grpc_server(services: Services, access: AccessControl, *, version: str) -> GrpcServer:
    """Serve on the port of the settings, and return the server.

    Raises:
        StartupError: The port can't be listened on.
    """
    settings = services.settings
    options = [
        ("grpc.max_receive_message_length", settings.max_body_bytes + _MESSAGE_OVERHEAD),
        ("grpc.max_send_message_length", -1),
        ("grpc.compression_enabled_algorithms_bitset", _ONLY_IDENTITY),
        # Workers share the port. A service of one process must not share it with another service.
        ("grpc.so_reuseport", int(settings.workers > 1)),
    ]
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=settings.max_connections)
    service = InferenceService(services, access, version=version, extensions=EXTENSIONS)
    server.add_generic_rpc_handlers((service.make_handler(),))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        port = server.add_insecure_port(f"{host}:{settings.grpc_port}")
    except RuntimeError as error:
        raise StartupError(
            f"TRIPTYCH_GRPC_PORT (--grpc-port) is {settings.grpc_port}, which can't be listened on: take another"
        ) from error
    await server.start()
    logger.info("gRPC listens on port %d", port)
    return GrpcServer(port, server)
