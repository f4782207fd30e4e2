"""The web page and its files, as a browser fetches them; `tests/browser/` uses the page."""

import base64
import hashlib
import re

import pytest

from app.api.page_bundle import bundle_modules
from app.api.routes import web_page
from tests.support.app import CHECKOUT, assert_problem, make_service, running

WEB = CHECKOUT / "app" / "web"

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def page_files(*suffixes):
    """Return the paths of the page's files of some kinds, as the server has them."""
    return [f"/web/{path.relative_to(WEB).as_posix()}" for path in sorted(WEB.rglob("*")) if path.suffix in suffixes]


def read_bundle(client):
    """Return the paths of the page's style sheet and script."""
    return [f"/{path}" for path in re.findall(r'(?:href|src)="(web/page-[^"]+)"', client.get("/").text)]


def test_root_is_the_page_with_one_script_and_one_style_sheet(client):
    """A browser that opens the service gets the page, and fetches two files to show it."""
    response = client.get("/")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall(r'(?:href|src)="web/[^"]+\.(css|js)"', response.text) == ["css", "js"]


@pytest.mark.parametrize("is_guide_built", [False, True])
def test_root_with_source_is_the_page_with_its_modules(client, monkeypatch, tmp_path, is_guide_built):
    """A developer loads the modules one by one, unchanged; only the link to the guide appears where that is built."""
    if is_guide_built:
        (tmp_path / "index.html").touch()
    monkeypatch.setattr(web_page, "_GUIDE", tmp_path)
    page = (WEB / "index.html").read_text()
    link = '<a href="guide/" hidden>'

    response = client.get("/?source")

    assert link in page
    assert response.text == (page.replace(link, '<a href="guide/">') if is_guide_built else page)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_bundle_is_compressed_and_kept(client, encoding):
    """The two files are compressed where the browser takes that, and never fetched again."""
    for path in read_bundle(client):
        response = client.get(path, headers={"Accept-Encoding": encoding})

        assert response.headers.get("Content-Encoding", "identity") == encoding
        assert response.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["Content-Type"].split(";")[0] == MEDIA_TYPES[f".{path.rsplit('.', 1)[1]}"]
        assert hashlib.sha256(response.content).hexdigest()[:12] in path


def test_bundle_is_small(client):
    """Compressed, the page is under 55 kB; what the browser parses is under 194 kB."""
    lengths = [int(client.head(path).headers["Content-Length"]) for path in read_bundle(client)]
    texts = [client.get(path).text for path in read_bundle(client)]

    assert len(lengths) == 2
    assert sum(lengths) < 55_000
    assert sum(map(len, texts)) < 194_000


@pytest.mark.parametrize(
    "source",
    ["export default 1;\n", 'import "./b.js";\n', 'export { a } from "./b.js";\n', "export let changes = 1;\n"],
)
def test_bundle_refuses_other_forms_of_import_and_export(tmp_path, source):
    """A module that the bundler wouldn't understand is an error, not a broken page."""
    (tmp_path / "main.js").write_text(source)

    with pytest.raises(ValueError, match=r"main.js: .* can't be bundled"):
        bundle_modules(tmp_path, "main.js")


def test_bundle_has_the_names_of_its_modules(tmp_path):
    """Imports are bound to the exports of their modules, renamed and as a whole too, and comments are removed."""
    (tmp_path / "a.js").write_text("/* A comment. */\nexport const one = 1;\nexport function two() {}\n")
    (tmp_path / "main.js").write_text(
        'import { one as first, two } from "./a.js";\nimport * as a from "./a.js";\n// End.\n'
    )

    script = bundle_modules(tmp_path, "main.js")

    assert script.splitlines() == [
        "const $module0 = (() => {",
        "const one = 1;",
        "function two() {}",
        "return { one, two };",
        "})();",
        "",
        "const $module1 = (() => {",
        "const { one: first, two } = $module0;",
        "const a = $module0;",
        "return {  };",
        "})();",
    ]


@pytest.mark.parametrize("value", ["bytes=0-9", "items=0-1", "bytes=abc", "bytes=-", "bytes=999999-"])
def test_ranges_are_ignored(client, value):
    """Any request for a range gets the whole file."""
    response = client.get("/web/main.js", headers={"Range": value})

    assert (response.status_code, response.headers["Accept-Ranges"]) == (200, "none")
    assert response.content == (WEB / "main.js").read_bytes()


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip;q=0", None), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("x-gzip", "gzip"), ("identity, *;q=0", None)],
)
def test_bundle_is_compressed_where_gzip_is_accepted(client, accepted, encoding):
    """The header's qualities count."""
    path = next(iter(read_bundle(client)))

    assert client.get(path, headers={"Accept-Encoding": accepted}).headers.get("Content-Encoding") == encoding


@pytest.mark.parametrize("known", ["*", "W/{etag}", '"other", {etag}'])
def test_page_that_the_browser_has_is_not_sent_again(client, known):
    """By any form of If-None-Match."""
    etag = client.get("/").headers["ETag"]

    assert client.get("/", headers={"If-None-Match": known.format(etag=etag)}).status_code == 304


def test_icon_is_kept_for_a_day(client):
    """Browsers request the icon at each change of the page's address, so they may keep it."""
    assert client.get("/web/icon.svg").headers["Cache-Control"] == "public, max-age=86400"


def test_guide_is_served_if_it_is_built(client, monkeypatch, tmp_path):
    """The built guide is at `/guide`, with the inline scripts it needs allowed, and the page links to it."""
    (tmp_path / "index.html").write_text("<script>start()</script>")
    without = client.get("/guide/"), client.get("/").text
    monkeypatch.setattr(web_page, "_GUIDE", tmp_path)
    monkeypatch.setattr(web_page.guide_files, "all_directories", [tmp_path])

    response = client.get("/guide/")

    assert without[0].status_code == 404 or web_page.guide_files.directory.is_dir()
    assert response.status_code == 200
    assert "'sha256-" in response.headers["Content-Security-Policy"]
    assert '<a href="guide/">' in client.get("/").text


def test_guide_without_its_slash_leads_to_it(client):
    """The documented `/guide` is redirected to the guide, under any path prefix."""
    response = client.get("/guide", follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (308, "guide/")


@pytest.mark.parametrize("path", page_files(*MEDIA_TYPES))
def test_file_comes_with_its_type(client, path):
    """Each file has the declared type that a browser needs, and forbids guessing another."""
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == MEDIA_TYPES[f".{path.rsplit('.', 1)[1]}"]


@pytest.mark.parametrize("path", ["/", "/web/main.js"])
def test_page_keeps_to_itself(client, path):
    """The page uses the service's own files alone, and one inline script, by its hash; nobody may frame it."""
    headers = client.get(path).headers

    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_documentation_page_runs_one_inline_script_in_no_frame(client):
    """The page with a field for the key runs its own scripts alone, and no other page may frame it."""
    response = client.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)

    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path", ["/", "/web/main.js", "/docs", "/openapi.json", "/healthz", "/sample?format=png", "/nothing", "/metrics"]
)
def test_no_response_is_sniffed(client, path):
    """A browser takes every response for its content type, and nothing else."""
    assert client.get(path).headers.get_list("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize("path", ["/", "/web/main.js"])
def test_unchanged_file_is_not_sent_again(client, path):
    """A browser that revalidates an unchanged copy gets a few bytes."""
    first = client.get(path)

    second = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert second.status_code == 304
    assert second.content == b""


@pytest.mark.parametrize("path", ["/web/none.js", "/web/", "/web/tabs", "/web/../main.py", "/web/%2e%2e/main.py"])
def test_nothing_else_is_served(client, path):
    """A path that is no file of the page is 404."""
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
