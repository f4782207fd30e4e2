"""Clients that ask too often, and pages of other origins."""

import pytest

from tests.support.app import assert_problem, make_service, running
from tests.support.clients.inference_protocol import make_body, make_inputs


@pytest.fixture
def limited_client(checkpoints):
    """A client of a service that takes two requests a minute of each client."""
    with running(make_service(checkpoints, frameworks="jax", rate_limit="2/minute", api_keys="one,two")) as client:
        yield client


def ask(client, key, path="/sample"):
    """Ask with a key."""
    return client.get(path, headers={"X-API-Key": key})


def test_client_that_asks_too_often_is_429(limited_client):
    """Over the limit requests are refused with the time to come back; another key has a count of its own."""
    allowed = [ask(limited_client, "one").status_code for _ in range(2)]
    refused = ask(limited_client, "one")
    other = ask(limited_client, "two")

    assert allowed == [200, 200]
    assert_problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    assert "2 per 1 minute" in refused.json()["detail"]
    assert other.status_code == 200


def test_whoever_guesses_keys_is_counted_by_address(limited_client):
    """Unknown keys share the count of the address that they come from."""
    statuses = [ask(limited_client, f"guess-{number}").status_code for number in range(4)]

    assert statuses == [401, 401, 429, 429]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/web/main.js", "/docs", "/openapi.json"])
def test_health_checks_and_pages_are_not_limited(limited_client, path):
    """Health checks, and pages with their files, of which a browser loads several at once, count for nothing."""
    statuses = {limited_client.get(path).status_code for _ in range(5)}

    assert statuses == {200}


def test_pages_of_the_origins_that_are_set_may_ask(checkpoints):
    """Preflight responses and responses, errors included, allow the set origins alone."""
    settings = {"frameworks": "jax", "cors_origins": "https://one.example,https://two.example:8443", "api_keys": "k3y"}
    with running(make_service(checkpoints, **settings)) as client:
        preflight = client.options(
            "/encode",
            headers={
                "Origin": "https://two.example:8443",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "X-API-Key, Content-Type",
            },
        )
        refused = client.get("/sample", headers={"Origin": "https://one.example"})
        foreign = client.get("/sample", headers={"Origin": "https://three.example", "X-API-Key": "k3y"})

    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://two.example:8443"
    assert "X-API-Key" in preflight.headers["Access-Control-Allow-Headers"]
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://one.example"
    assert "X-Triptych-Seed" in refused.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in foreign.headers


@pytest.mark.parametrize(
    ("origin", "method", "expected", "others"),
    [
        ("https://three.example", "POST", ["'https://three.example'", "TRIPTYCH_CORS_ORIGINS"], ["HEAD"]),
        ("https://one.example", "PUT", ["'PUT': expected GET, HEAD or POST"], ["TRIPTYCH_CORS_ORIGINS"]),
        ("https://three.example", "PUT", ["TRIPTYCH_CORS_ORIGINS", "expected GET, HEAD or POST"], []),
    ],
)
def test_refused_preflight_is_a_problem_document(checkpoints, origin, method, expected, others):
    """It says which of origin and method is refused, and which are allowed, or which setting names them."""
    with running(make_service(checkpoints, frameworks="jax", cors_origins="https://one.example")) as client:
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        response = client.options("/encode", headers=headers)

    assert_problem(response, 400)
    detail = response.json()["detail"]
    assert all(text in detail for text in expected)
    assert not any(text in detail for text in others)


def test_preflight_allows_each_method_that_a_route_names(checkpoints):
    """A script may send HEAD, with a key too, wherever a route has it."""
    with running(make_service(checkpoints, frameworks="jax", cors_origins="https://one.example")) as client:
        named = client.post("/models").headers["Allow"] + ", " + client.get("/encode").headers["Allow"]
        for method in named.split(", "):
            headers = {"Origin": "https://one.example", "Access-Control-Request-Method": method}
            preflight = client.options("/models", headers=headers)
            assert preflight.status_code == 200, preflight.text
            assert method in preflight.headers["Access-Control-Allow-Methods"].split(", ")


# The Fetch standard's safelisted names, and those that matter to caches and browsers rather than scripts.
NOT_FOR_SCRIPTS = {
    *("cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"),
    *("access-control-allow-origin", "access-control-expose-headers", "connection", "content-encoding", "date"),
    *("server", "transfer-encoding", "vary", "x-content-type-options"),
}


def test_scripts_of_other_origins_may_read_each_header(checkpoints):
    """Every header that a client needs is exposed: a binary response can't be split without the length of its JSON."""
    settings = {"frameworks": "jax", "cors_origins": "https://one.example", "api_keys": "k3y", "rate_limit": "12/hour"}
    with running(make_service(checkpoints, **settings)) as client:
        client.headers.update({"Origin": "https://one.example", "X-API-Key": "k3y"})
        body, length = make_body(make_inputs("encode"), parameters={"binary_data_output": True})
        binary = {"Inference-Header-Content-Length": length, "Accept-Encoding": "identity"}
        responses = [
            client.post("/v2/models/jax-encode/infer", content=body, headers=binary),
            client.post("/v2/models/jax-encode/infer", content=body, headers={"Content-Encoding": "br"}),
            client.get("/sample?format=npy&seed=7"),
            client.post("/sample"),
            client.get("/models", headers={"X-API-Key": "wrong"}),
            *(client.get("/frameworks") for _ in range(12)),
        ]
        exposed = {name.strip().lower() for name in responses[0].headers["Access-Control-Expose-Headers"].split(",")}

    assert [response.status_code for response in responses][:5] == [200, 415, 200, 405, 401]
    assert responses[-1].status_code == 429
    sent = {name for response in responses for name in response.headers}
    assert {"inference-header-content-length", "retry-after", "allow", "x-triptych-seed"} <= sent
    assert sent - NOT_FOR_SCRIPTS <= exposed
    assert "etag" in exposed


def test_pages_of_other_origins_may_not_ask_unless_that_is_set(client):
    """By default no answer has a header for other origins."""
    response = client.get("/healthz", headers={"Origin": "https://one.example"})

    assert not [name for name in response.headers if name.startswith("access-control")]
