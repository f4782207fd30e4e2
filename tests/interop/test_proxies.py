"""nginx, HAProxy and Caddy with the configurations of deploy/proxies, in front of two replicas below a path prefix."""

import gzip
import json
import time
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.support.deployment.proxies import INSTALLED, PROXIES, Site, proxying
from tests.support.deployment.replicas import Load, replica
from tests.support.deployment.tool_environments import find_program, run_tool

POST_JSON = Path(__file__).parent / "programs" / "PostJson.java"

CLIENT = "127.0.0.7"
"""An address of this machine that isn't the proxies'."""

LATENTS = json.dumps({"latents": [[0.5] * 20]})

SECONDS_OF_LOAD = 1.5
"""Before and after the replica is away: HAProxy and Caddy check once a second."""


def npy(images: int) -> bytes:
    """Return images of random pixels as an npy file."""
    file = BytesIO()
    np.save(file, np.random.default_rng(0).random((images, 28, 28), dtype=np.float32))
    return file.getvalue()


@pytest.fixture(scope="module")
def logging_site(tmp_path_factory):
    """A replica that limits rates and logs requests, behind the proxies, the only ones that it trusts."""
    folder = tmp_path_factory.mktemp("logging")
    options = ["--trusted-proxies", "127.0.0.1", "--rate-limit", "5/minute", "--access-log", "true"]
    with ExitStack() as running:
        server = running.enter_context(replica(folder / "replica", *options))
        server.wait_until_ready()
        urls = {name: running.enter_context(proxying(name, [server.port] * 2, folder / name)) for name in INSTALLED}
        yield Site((server, server), urls)


def load_while(site: Site, act) -> dict[str, Load]:
    """Send requests through all proxies while something is done, and return the loads by proxy."""
    requests = [("/decode", "application/json", LATENTS.encode()), ("/reconstruct", "application/x-npy", npy(16))]
    with ExitStack() as loads:
        load_by_proxy = {name: loads.enter_context(Load(url, requests)) for name, url in site.urls.items()}
        time.sleep(SECONDS_OF_LOAD)
        act()
        time.sleep(SECONDS_OF_LOAD)
    assert all(load.sent > 20 for load in load_by_proxy.values())
    return load_by_proxy


def unexpected(loads: dict[str, Load]) -> dict[str, list[str]]:
    """Return the failures of the proxies that can avoid them: Caddy 2.6 can't repeat a POST on the other replica."""
    return {name: load.failures for name, load in loads.items() if name != "caddy" and load.failures}


@pytest.mark.skipif(not INSTALLED, reason="no proxy is installed (Debian: nginx, haproxy, caddy)")
def test_no_request_fails_while_a_replica_is_drained_and_started(site):
    """A client sees 200 alone while one of two replicas gets SIGTERM and starts again, except through Caddy."""
    first, _ = site.replicas

    def restart() -> None:
        first.drain()
        first.start()
        first.wait_until_ready()

    loads = load_while(site, restart)

    assert unexpected(loads) == {}


@pytest.mark.skipif(not INSTALLED, reason="no proxy is installed (Debian: nginx, haproxy, caddy)")
def test_no_request_fails_while_a_replica_is_killed_and_started(site):
    """A client sees 200 alone while one of two replicas gets SIGKILL and starts again, except through Caddy."""
    _, second = site.replicas

    def restart() -> None:
        second.kill()
        second.start()
        second.wait_until_ready()

    loads = load_while(site, restart)

    assert unexpected(loads) == {}


@pytest.mark.parametrize("framing", ["length", "chunked", "gzip"])
def test_large_npy_file_passes(url, framing):
    """A body of 3 MB, in each framing, gets its 1000 images."""
    content = npy(1000)
    headers = {"Content-Type": "application/x-npy", "Accept": "application/x-npy"}
    if framing == "gzip":
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, 1)
    body = iter([content[:100], content[100:]]) if framing == "chunked" else content

    response = httpx.post(f"{url}/reconstruct", content=body, headers=headers, timeout=60)

    assert response.status_code == 200, response.text
    assert np.load(BytesIO(response.content)).shape == (1000, 28, 28)


def test_too_large_body_is_413(url):
    """A body above 32 MB is rejected by its announced length."""
    response = httpx.post(f"{url}/reconstruct", content=bytes(33 * 2**20), timeout=60)

    assert response.status_code == 413


@pytest.mark.parametrize("sent", ["mine-1", None])
def test_request_id_is_that_of_the_client_or_a_new_one(url, sent):
    """A response has one X-Request-ID, the client's if it sent one."""
    response = httpx.get(f"{url}/frameworks", headers={"X-Request-ID": sent} if sent else {})

    (received,) = response.headers.get_list("X-Request-ID")
    assert received == sent if sent else len(received) >= 32


def logged_clients(log: Path, beginning: str) -> list[str]:
    """Return the client's address in each line of the access log whose request ID begins so."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line["client"] for line in lines if str(line.get("id", "")).startswith(beginning)]


@pytest.mark.parametrize("name", PROXIES)
def test_trusted_proxy_forwards_the_address_of_the_client(logging_site, name):
    """Behind a trusted proxy, access log and rate limit use the client's address, whatever the client claims."""
    if name not in logging_site.urls:
        pytest.skip(f"{name} isn't installed (Debian: {name})")
    place = PROXIES.index(name)
    client, other = f"{CLIENT}{place}", f"{CLIENT}{place + 3}"
    log = logging_site.replicas[0].log

    def get(address: str, number: int) -> int:
        transport = httpx.HTTPTransport(local_address=address)
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "X-Request-ID": f"from-{address}-{number}"}
        with httpx.Client(transport=transport, headers=headers) as http:
            return http.get(f"{logging_site.urls[name]}/frameworks").status_code

    statuses = [get(client, number) for number in range(6)]
    statuses.append(get(other, 0))

    assert statuses == [200] * 5 + [429, 200]
    assert logged_clients(log, f"from-{client}-") == [client] * 6


def test_other_clients_are_not_believed(logging_site):
    """X-Forwarded-For of a client that is no trusted proxy changes neither access log nor rate limit."""
    server = logging_site.replicas[0]
    transport = httpx.HTTPTransport(local_address="127.0.0.99")

    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{server.port}") as http:
        statuses = [
            http.get(
                "/frameworks", headers={"X-Forwarded-For": f"10.0.0.{number}", "X-Request-ID": f"liar-{number}"}
            ).status_code
            for number in range(6)
        ]

    assert statuses == [200] * 5 + [429]
    assert logged_clients(server.log, "liar-") == ["127.0.0.99"] * 6


def test_java_client_that_offers_http2_gets_its_responses(url):
    """The JDK's HttpClient with its default settings sends a body and gets a response, three times."""
    printed = run_tool([find_program("java"), POST_JSON, f"{url}/decode", "none", LATENTS])

    assert [len(json.loads(line)["probs"]) for line in printed.splitlines()] == [1] * 3


@pytest.mark.parametrize("framing", [[], ["-H", "Transfer-Encoding: chunked"]], ids=["length", "chunked"])
def test_curl_that_offers_http2_gets_its_response(url, framing):
    """`curl --http2` gets a response, be the body of known length or chunked."""
    headers = ["-H", "Content-Type: application/json", *framing]

    printed = run_tool(
        [find_program("curl"), "-sS", "--fail-with-body", "--http2", *headers, "-d", LATENTS, f"{url}/decode"]
    )

    assert len(json.loads(printed)["probs"]) == 1
