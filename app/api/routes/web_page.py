"""The web page at `/` with its files, the built guide at `/guide`, and the interactive documentation at `/docs`."""

import base64
import hashlib
import re
from asyncio import to_thread
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.api.page_bundle import BundledFile, bundle_page
from app.codecs.content_negotiation import accepts_gzip, matches

FILES_PATH: Final = "/web"
GUIDE_PATH: Final = "/guide"

_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

# The service's own files, and the inline script that sets the theme before the first paint.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' {script_hashes}; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_GUIDE_POLICY: Final = (
    "default-src 'self'; script-src 'self' {script_hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Swagger UI styles its elements inline.
_DOCS_POLICY: Final = (
    "default-src 'self'; script-src 'self' {script_hash}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_DOCS_STYLE: Final = b'<link rel="stylesheet" href="web/styles/docs.css">'

# Python's own types come from the operating system, and may differ.
_MEDIA_TYPES: Final = {".js": "text/javascript; charset=utf-8"}


_FOLDER: Final = Path(__file__).resolve().parents[2] / "web"

_GUIDE: Final = next(
    (folder for folder in (_FOLDER.parent / "guide", _FOLDER.parents[1] / "site") if (folder / "index.html").is_file()),
    _FOLDER.parent / "guide",
)
"""In an installed package, or as `make docs` builds it in a checkout."""

_REVALIDATED: Final = "no-cache"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_ICON: Final = "public, max-age=86400"
"""Browsers request the icon each time that the page's address changes, which it does while one draws."""


class WholeFiles(StaticFiles):
    """Static files without ranges: a server may ignore `Range` (RFC 9110, section 14.2), and these are small."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with a whole file."""
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or 304 if the client's copy is current.

        Raises:
            HTTPException: There is no such file.
        """
        response = await super().get_response(path, scope)
        response.headers["Accept-Ranges"] = "none"
        return response


class PageFiles(WholeFiles):
    """The page's files: modules and styles one by one, and bundled under names with a hash."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or 304 if the browser's copy is current.

        Raises:
            HTTPException: There is no such file.
        """
        bundled = bundle_page(_FOLDER).files.get(path)
        response = (
            await super().get_response(path, scope) if bundled is None else _compressed(bundled, Headers(scope=scope))
        )
        response.headers.setdefault("Cache-Control", _ICON if path.endswith(".svg") else _REVALIDATED)
        _add_policy(response, b"")
        if media_type := _MEDIA_TYPES.get(Path(path).suffix):
            response.headers["Content-Type"] = media_type
        return response


class GuideFiles(WholeFiles):
    """The built guide, whose pages have inline scripts and styles of MkDocs."""

    async def check_config(self) -> None:
        """Accept that there is no folder: the guide isn't built."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file of the guide, or a folder's `index.html`.

        Raises:
            HTTPException: There is no such file, or the guide isn't built.
        """
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _REVALIDATED
        response.headers["Referrer-Policy"] = "no-referrer"
        if isinstance(response, FileResponse) and response.media_type == "text/html":
            html = await to_thread(Path(response.path).read_bytes)
            hashes = " ".join(_hash_scripts(html))
            response.headers["Content-Security-Policy"] = _GUIDE_POLICY.format(script_hashes=hashes)
        return response


files = PageFiles(directory=_FOLDER)
guide_files = GuideFiles(directory=_GUIDE, html=True, check_dir=False)

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root(request: Request) -> Response:
    """Return the page; with `?source`, the one that loads its modules one by one, for developers."""
    html = (_FOLDER / "index.html").read_bytes() if "source" in request.query_params else bundle_page(_FOLDER).html
    if (_GUIDE / "index.html").is_file():
        html = html.replace(b'<a href="guide/" hidden>', b'<a href="guide/">')
    etag = f'"{hashlib.sha256(html).hexdigest()[:32]}"'
    is_current = matches(etag, request.headers.getlist("If-None-Match"))
    response = Response(status_code=HTTPStatus.NOT_MODIFIED) if is_current else HTMLResponse(html)
    response.headers.update({"Cache-Control": _REVALIDATED, "ETag": etag})
    _add_policy(response, html)
    return response


def _compressed(file: BundledFile, headers: Headers) -> Response:
    """Return a bundled file, compressed if the client accepts that."""
    takes_gzip = accepts_gzip(headers.getlist("Accept-Encoding"))
    response = Response(file.compressed if takes_gzip else file.content, media_type=file.media_type)
    response.headers.update({"Cache-Control": _IMMUTABLE, "Vary": "Accept-Encoding"})
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _add_policy(response: Response, html: bytes) -> None:
    hashes = " ".join(_hash_scripts(html))
    response.headers["Content-Security-Policy"] = _POLICY.format(script_hashes=hashes).replace(" ;", ";")
    response.headers["Referrer-Policy"] = "no-referrer"


def _hash_scripts(html: bytes) -> list[str]:
    """Return the sources of a content security policy that allow the inline scripts of a page."""
    scripts = _INLINE_SCRIPT.findall(html)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]


@router.get(GUIDE_PATH)
async def guide() -> Response:
    """Redirect to the guide's folder, to which its addresses are relative."""
    return RedirectResponse(f"{GUIDE_PATH[1:]}/", HTTPStatus.PERMANENT_REDIRECT)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the interactive documentation."""
    return _docs_page(request.app.title)


@cache
def _docs_page(title: str) -> Response:
    """Return Swagger UI, with addresses relative to `/docs`, so that they are right under any path prefix."""
    page: Response = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=f"{title} - Swagger UI",
        swagger_js_url="static-offline-docs/swagger-ui-bundle.js",
        swagger_css_url="static-offline-docs/swagger-ui.css",
        swagger_favicon_url="static-offline-docs/favicon.png",
        swagger_ui_parameters={"defaultModelsExpandDepth": 0},
    )
    html = bytes(page.body)
    (script_hash,) = _hash_scripts(html)
    page = HTMLResponse(html.replace(b"</head>", _DOCS_STYLE + b"</head>"))
    page.headers["Content-Security-Policy"] = _DOCS_POLICY.format(script_hash=script_hash)
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
