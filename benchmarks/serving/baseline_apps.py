"""Baseline endpoints without work: a FastAPI route, a Starlette `Route`, bare ASGI, and an echo.

Run as `python -m benchmarks.serving.baseline_apps KIND`; it prints the port that it listens on. No service here.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send


def fastapi_app() -> Any:
    """Return an endpoint like the one on FastAPI's first page."""
    app = FastAPI()

    @app.get("/")
    async def empty() -> dict[str, Any]:
        return {}

    return app


def starlette_app() -> Any:
    """Return the same without FastAPI's parameters and response models."""

    async def empty(_: Request) -> JSONResponse:
        return JSONResponse({})

    return Starlette(routes=[Route("/", empty)])


def asgi_app() -> Any:
    """Return the smallest ASGI application."""
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"2"), (b"content-type", b"application/json")],
    }
    body = {"type": "http.response.body", "body": b"{}"}

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(start)
        await send(body)

    return app


def echo_app() -> Any:
    """Return an application that echoes the body: the minimum for a request with a large body."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(body)})

    return app


APPS: Final[Mapping[str, Callable[[], Any]]] = {"FastAPI": fastapi_app, "Starlette": starlette_app, "ASGI": asgi_app}

ECHO: Final = "echo"


def main() -> None:
    """Serve one of them on a free port until killed, with the service's settings of uvicorn."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        print(listening.getsockname()[1], flush=True)
        # No lifespan: bare ASGI has none.
        make_app = echo_app if sys.argv[1] == ECHO else APPS[sys.argv[1]]
        config = uvicorn.Config(make_app(), log_config=None, server_header=False, ws="none", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
