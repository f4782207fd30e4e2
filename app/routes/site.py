"""The web page at `/`, and the files under `/web` that it is made of."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FILES_PATH: Final = "/web"

# What a page without inline code needs, and nothing that isn't the service's own.
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# Python asks the operating system, which may say otherwise.
_MEDIA_TYPES: Final = {".js": "text/javascript; charset=utf-8"}


class PageFiles(StaticFiles):
    """The page's files, with the headers that keep a browser from doing with them what they aren't meant for."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or that the browser's copy is the newest.

        Raises:
            HTTPException: There is no such file.
        """
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        if media_type := _MEDIA_TYPES.get(Path(path).suffix):
            response.headers["Content-Type"] = media_type
        return response


files = PageFiles(directory=Path(__file__).resolve().parent.parent / "web")

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root(request: Request) -> Response:
    """Return the page."""
    return await files.get_response("index.html", request.scope)
