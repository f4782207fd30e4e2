"""`POST /admin/reload`: reloads checkpoints and API keys. Needs an API key."""

from fastapi import APIRouter, Request

from app.api.dependencies import KeysDep, ReloaderDep
from app.api.query_options import read_framework
from app.api.schemas.model_options import FrameworkOptions
from app.api.schemas.openapi import describe_admin_route
from app.api.schemas.responses import ReloadResponse
from app.api_keys import ApiKeys
from app.errors import ForbiddenError

router = APIRouter(tags=["admin"])


@router.post("/admin/reload", **describe_admin_route(FrameworkOptions))
async def reload(request: Request, keys: KeysDep, reloader: ReloaderDep) -> ReloadResponse:
    """Reload the checkpoints, of all frameworks or of one, and the file of API keys.

    Requests in progress finish on the model that they started with. An invalid checkpoint or file changes nothing.
    """
    framework = read_framework(request.query_params)
    require_keys(keys)
    results = await reloader.reload(framework)
    reloader.broadcast_reload()
    return ReloadResponse(reloaded={name: result.message for name, result in results.items()})


def require_keys(keys: ApiKeys) -> None:
    """Raise a `ForbiddenError` unless the server has API keys, one of which every request then needs."""
    if not keys:
        raise ForbiddenError(
            "this route needs an API key, and the server has none: set TRIPTYCH_API_KEYS or TRIPTYCH_API_KEYS_FILE and "
            "restart it; SIGHUP reloads checkpoints without a key"
        )
