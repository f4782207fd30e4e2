"""API keys, request IDs, HEAD and the documentation pages, on every route."""

import socket

import pytest

from tests.support.app import assert_problem, make_service, read_answer, running

KEY = "s3cret"


@pytest.fixture(scope="module")
def locked_client(checkpoints):
    """A client of a service that asks for one of two keys."""
    with running(make_service(checkpoints, frameworks="jax", api_keys=f"other,{KEY}")) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"X-API-Key": KEY},
        {"X-API-Key": "other"},
        {"Authorization": "Basic eDp5", "X-API-Key": KEY},
    ],
)
def test_known_key_lets_in(locked_client, headers):
    """Either header takes any of the keys."""
    response = locked_client.get("/sample", headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": f"other,{KEY}"},
        {"X-API-Key": KEY.upper()},
        {"Authorization": KEY},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}"},
        {"X-API-Key": "schlüssel".encode()},
    ],
)
@pytest.mark.parametrize("path", ["/sample", "/frameworks", "/metrics", "/nothing", "/web"])
def test_unknown_key_is_refused(locked_client, path, headers):
    """Without a key, or with a wrong one, every route but the health checks, the page and the documentation is 401."""
    response = locked_client.get(path, headers=headers)

    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_need_no_key(locked_client, path):
    """Whoever watches over the service needs no key."""
    assert locked_client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css"])
def test_documentation_needs_no_key(locked_client, path):
    """A browser can't send a key with an address."""
    assert locked_client.get(path).status_code == 200


def test_guide_needs_no_key(locked_client):
    """Its bare path is redirected as it is without keys."""
    assert locked_client.get("/guide", follow_redirects=False).status_code == 308


def test_openapi_tells_of_keys_only_where_they_are_needed(client, locked_client):
    """The document requires a key only of a service that has keys."""
    free = client.get("/openapi.json").json()
    locked = locked_client.get("/openapi.json", headers={"X-API-Key": KEY}).json()

    assert {} in free["security"]
    assert locked["security"] == [{"bearer": []}, {"header": []}]
    assert locked["paths"]["/healthz"]["get"]["security"] == []


@pytest.mark.parametrize("path", ["/healthz", "/sample", "/nothing", "/docs"])
def test_request_id_of_the_client_comes_back(client, path):
    """Any answer carries the id that the client sent."""
    response = client.get(path, headers={"X-Request-ID": "my-id_1!"})

    assert response.headers["X-Request-ID"] == "my-id_1!"


@pytest.mark.parametrize("sent", [b" abc", b"  abc", b"\tabc", b"abc ", b" \t abc\t ", b"abc"])
def test_whitespace_around_a_request_id_is_no_part_of_it(client, sent):
    """Any optional whitespace around a header's value is left out (RFC 9110, section 5.5)."""
    line = b"X-Request-ID:" + sent + b"\r\n"
    head = b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + line
    body = b'{"latents": [' + b"0," * 19 + b"0]}"
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock, sock.makefile("rb") as responses:
        for _ in range(3):
            sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            status, headers, _ = read_answer(responses)

            assert (status, headers["x-request-id"]) == (200, "abc")


@pytest.mark.parametrize("given", [None, "", "x" * 129, "two words", "größe".encode()])
def test_request_id_is_made_where_the_client_sent_no_good_one(client, given):
    """A missing or unfit id is replaced by a fresh one."""
    response = client.get("/healthz", headers={} if given is None else {"X-Request-ID": given})

    assert len(response.headers.get_list("X-Request-ID")) == 1
    assert response.headers["X-Request-ID"].isalnum()
    assert len(response.headers["X-Request-ID"]) == 16


@pytest.mark.parametrize("path", ["/healthz", "/frameworks", "/sample?seed=7", "/docs", "/openapi.json", "/"])
def test_head_is_get_without_a_body(client, path):
    """HEAD has GET's status and headers."""
    head, get = client.head(path), client.get(path)

    assert head.status_code == get.status_code
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.content == b""


def test_documentation_needs_no_internet(client):
    """All that the page loads comes from the service itself."""
    page = client.get("/docs").text

    assert "//cdn" not in page
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
