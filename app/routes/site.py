"""What a browser opens first: for now, the documentation."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root() -> RedirectResponse:
    """Send the visitor to the documentation."""
    return RedirectResponse("/docs")
