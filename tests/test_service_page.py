"""The web page and its files, as a browser fetches them; `tests/browser/` uses the page."""

import re

import pytest

from tests.service import CHECKOUT, assert_problem, make_service, running

WEB = CHECKOUT / "app" / "web"

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def page_files(*suffixes):
    """Return the paths of the page's files of some kinds, as the server has them."""
    return [f"/web/{path.relative_to(WEB).as_posix()}" for path in sorted(WEB.rglob("*")) if path.suffix in suffixes]


def test_root_is_the_page(client):
    """A browser that opens the service finds the page."""
    response = client.get("/")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.text == (WEB / "index.html").read_text()


@pytest.mark.parametrize("path", page_files(*MEDIA_TYPES))
def test_file_comes_with_its_type(client, path):
    """A browser that believes the declared type, as it is told to, can use each file."""
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == MEDIA_TYPES[f".{path.rsplit('.', 1)[1]}"]


@pytest.mark.parametrize("path", ["/", "/web/main.js"])
def test_page_keeps_to_itself(client, path):
    """The page may use nothing but the service's own files, run nothing inline, and be framed by no one."""
    headers = client.get(path).headers

    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/web/main.js"])
def test_unchanged_file_is_not_sent_again(client, path):
    """A browser asks whether its copy is still the newest, and is told so in a few bytes."""
    first = client.get(path)

    second = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert second.status_code == 304
    assert second.content == b""


@pytest.mark.parametrize("path", ["/web/none.js", "/web/", "/web/tabs", "/web/../main.py", "/web/%2e%2e/main.py"])
def test_nothing_else_is_served(client, path):
    """What is no file of the page is not found."""
    assert_problem(client.get(path), 404)


def test_page_needs_no_key(checkpoints):
    """The page opens without the key, for which it asks itself."""
    with running(make_service(checkpoints, frameworks="jax", api_keys="s3cret")) as client:
        for path in ("/", *page_files(".css", ".js")):
            assert client.get(path).status_code == 200

        assert_problem(client.get("/web/none.js"), 404)
        assert_problem(client.get("/frameworks"), 401)


def test_page_names_no_other_host():
    """The page works offline: no file of it has an address elsewhere, but for links in comments and SVG's namespace."""
    for path in (WEB / name.removeprefix("/web/") for name in page_files(".css", ".js", ".html", ".svg")):
        text = re.sub(
            r"/\*.*?\*/|//[^\n]* https?://[^\n]*|http://www\.w3\.org/2000/svg", "", path.read_text(), flags=re.DOTALL
        )

        assert not re.search(r"https?://", text), path


def test_page_is_small():
    """The page is under 150 kB, without the data that its tabs fetch."""
    assert (
        sum((WEB / name.removeprefix("/web/")).stat().st_size for name in page_files(".css", ".js", ".html", ".svg"))
        < 150_000
    )
