"""Headers of proxies, and path prefixes: believed from trusted proxies alone."""

import httpx
import pytest

from tests.support.app import assert_problem, make_images, make_service, npy, running

LIMIT = {"frameworks": "jax", "rate_limit": "2/hour"}

NPY = {"Content-Type": "application/x-npy"}


def count_admitted(client, addresses, url="/encode"):
    """Return how many of some requests, each forwarded for other addresses, are within the limit."""
    statuses = [
        client.post(url, content=npy(make_images(1)), headers=NPY | {"X-Forwarded-For": address}).status_code
        for address in addresses
    ]
    assert set(statuses) <= {200, 429}
    return statuses.count(200)


@pytest.mark.parametrize("url", ["/encode", "/score"])
def test_forwarded_addresses_are_not_believed_by_default(checkpoints, url):
    """Not even from this machine: any client could write them."""
    with running(make_service(checkpoints, **LIMIT)) as client:
        assert count_admitted(client, [f"10.0.0.{index}" for index in range(6)], url) == 2


@pytest.mark.parametrize(
    ("addresses", "admitted"),
    [
        ([f"10.0.0.{index}" for index in range(4)], 4),
        ([f"10.0.0.{index}, 192.0.2.7" for index in range(4)], 2),
        ([f"10.0.0.{index}, 127.0.0.9" for index in range(4)], 4),
        (["10.0.0.1:123", "10.0.0.1:456", "10.0.0.1", "10.0.0.1"], 2),
        (["nonsense", "", "unknown", "a,b"], 2),
    ],
)
@pytest.mark.parametrize("url", ["/encode", "/score"])
def test_trusted_proxies_say_who_the_client_is(checkpoints, addresses, admitted, url):
    """The client is the last address that isn't a trusted proxy's: those before it are the client's own words."""
    with running(make_service(checkpoints, trusted_proxies="192.168.0.0/16, 127.0.0.0/8", **LIMIT)) as client:
        assert count_admitted(client, addresses, url) == admitted


@pytest.mark.parametrize(
    ("settings", "headers"),
    [({"root_path": "/vae"}, {}), ({"trusted_proxies": "127.0.0.1"}, {"X-Forwarded-Prefix": "/vae"})],
)
def test_service_works_under_a_path_prefix(checkpoints, settings, headers):
    """Page, documentation and routes are found with the prefix and without it, and link below it."""
    body = npy(make_images(1))
    with running(make_service(checkpoints, **settings)) as client:
        client.headers.update(headers)
        for prefix in ("", "/vae"):
            for path in (
                "/",
                "/web/main.js",
                "/docs",
                "/openapi.json",
                "/static-offline-docs/swagger-ui.css",
                "/healthz",
            ):
                assert client.get(prefix + path).status_code == 200, path
            for path in ("/encode", "/score", "/v2/models/jax-encode/infer"):
                assert client.post(prefix + path, content=body, headers=NPY).status_code != 404, path
            assert client.post(f"{prefix}/encode", content=body, headers=NPY).status_code == 200
            assert_problem(client.get(f"{prefix}/nothing"), 404)
        page, docs = client.get("/vae/").text, client.get("/vae/docs").text

    assert 'src="/' not in page
    assert 'href="/' not in page
    assert "url: 'openapi.json'" in docs


def test_prefix_without_its_slash_leads_to_the_page(checkpoints):
    """The bare prefix is redirected to the page below it, with its query; other paths aren't."""
    with running(make_service(checkpoints, frameworks="jax", root_path="/vae", api_keys="k3y")) as client:
        response = client.get("/vae?model=cats")
        posted = client.post("/vae")
        longer = client.get("/vaex")

    assert (response.status_code, response.headers["Location"]) == (308, "/vae/?model=cats")
    assert (posted.status_code, posted.headers["Location"]) == (308, "/vae/")
    assert longer.status_code in {401, 404}


@pytest.mark.parametrize("path", ["/decode/", "/vae/decode/"])
def test_slash_at_the_end_is_named_under_a_prefix(checkpoints, path):
    """The 404 has the route that was meant, as without a prefix; a file's path is no route's."""
    with running(make_service(checkpoints, frameworks="jax", root_path="/vae")) as client:
        slash, file = client.get(path), client.get("/vae/web/decode/")

    assert_problem(slash, 404)
    assert "without the slash at the end there is /decode;" in slash.json()["detail"]
    assert "without the slash" not in file.json()["detail"]


@pytest.mark.parametrize("prefix", ["", "/vae"])
def test_path_below_a_folder_of_files_is_not_counted_as_a_route(checkpoints, prefix):
    """A file that isn't there has the label of other paths, though its name is a route's."""
    with running(make_service(checkpoints, frameworks="jax", root_path=prefix)) as client:
        assert client.get(f"{prefix}/web/encode").status_code == 404
        metrics = client.get("/metrics").text

    assert 'route="other",status="404"} 1.0' in metrics
    assert 'route="/encode"' not in metrics


def test_prefix_of_an_untrusted_client_is_ignored(checkpoints):
    """It can't have paths rewritten."""
    with running(make_service(checkpoints, frameworks="jax")) as client:
        assert client.get("/vae/healthz", headers={"X-Forwarded-Prefix": "/vae"}).status_code == 404


@pytest.mark.parametrize("name", ["root_path", "trusted_proxies"])
def test_wrong_setting_is_refused(name):
    """A meaningless value is refused at the start."""
    with pytest.raises(ValueError, match=name):
        make_service("nowhere", **{name: "no such thing"})


def test_connections_over_the_limit_are_counted(checkpoints):
    """A crowded service shows in its metrics."""
    with running(make_service(checkpoints, frameworks="jax", max_connections=1)) as client:
        crowded = httpx.get(client.base_url.join("/frameworks"))
        metrics = client.get("/metrics").text

    assert_problem(crowded, 503)
    assert "triptych_rejected_connections_total 1.0" in metrics
    assert "triptych_connections 1.0" in metrics
