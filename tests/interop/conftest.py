"""Fixtures of the interoperability tests: a service with an API key, replicas behind proxies, and files to send."""

import shutil
from base64 import b64decode
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.api.schemas.examples import DIGIT_PNG_BASE64
from tests.support.deployment.proxies import INSTALLED, PROXIES, Site, proxying
from tests.support.deployment.replicas import replica
from tests.support.live_service import CHECKOUT, serving, wait_until_settled

KEY = "s3cret"


@dataclass(frozen=True)
class Service:
    """A service of the committed checkpoints, all three frameworks ready."""

    url: str
    key: str
    client: httpx.Client
    """Sends the key."""


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The real service, a process of its own, on a copy of the checkpoints: examples promote a model."""
    folder = tmp_path_factory.mktemp("service")
    served = shutil.copytree(CHECKOUT / "checkpoints", folder / "checkpoints")
    with serving("--checkpoints", str(served), log=folder / "log", TRIPTYCH_API_KEYS=KEY) as client:
        client.headers["X-API-Key"] = KEY
        entries = wait_until_settled(client)
        assert all(entry["ready"] for entry in entries.values()), entries
        yield Service(str(client.base_url).rstrip("/"), KEY, client)


@pytest.fixture(scope="session")
def document(service, tmp_path_factory) -> Path:
    """The service's OpenAPI document as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(service.client.get("/openapi.json").content)
    return path


@pytest.fixture(scope="session")
def digit_file(tmp_path_factory) -> Path:
    """An image of a digit, as a PNG file."""
    path = tmp_path_factory.mktemp("digit") / "digit.png"
    path.write_bytes(b64decode(DIGIT_PNG_BASE64))
    return path


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Two replicas that trust the proxies of this machine, behind them."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--trusted-proxies", "127.0.0.1", "--listen-when-ready", "true"]
    with ExitStack() as running:
        replicas = [running.enter_context(replica(folder / name, *options)) for name in ("first", "second")]
        for server in replicas:
            server.wait_until_ready()
        ports = [server.port for server in replicas]
        urls = {name: running.enter_context(proxying(name, ports, folder / name)) for name in INSTALLED}
        yield Site((replicas[0], replicas[1]), urls)


@pytest.fixture(params=PROXIES)
def url(request, site):
    """The address of the service behind one of the proxies."""
    if request.param not in site.urls:
        pytest.skip(f"{request.param} isn't installed (Debian: {request.param})")
    return site.urls[request.param]
