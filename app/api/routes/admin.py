"""The route that changes what is served; it needs a key."""

from fastapi import APIRouter, Request

from app.answer_schemas import ReloadAnswer
from app.dependencies import KeysDep, ReloaderDep
from app.documentation import describe_admin_route
from app.exceptions import ForbiddenError
from app.options import read_framework
from app.schemas import FrameworkOptions

router = APIRouter(tags=["admin"])


@router.post("/admin/reload", **describe_admin_route(FrameworkOptions))
async def reload(request: Request, keys: KeysDep, reloader: ReloaderDep) -> ReloadAnswer:
    """Load checkpoints anew, of all frameworks or of one, and read the file of API keys again.

    Requests that have begun end with the model that they began with. What can't be loaded changes nothing.
    """
    framework = read_framework(request.query_params)
    if not keys:
        raise ForbiddenError(
            "reloading needs an API key, and this server has none: set TRIPTYCH_API_KEYS or TRIPTYCH_API_KEYS_FILE and "
            "restart it, or send its process SIGHUP"
        )
    outcomes = await reloader.reload(framework)
    reloader.tell_others()
    return ReloadAnswer(reloaded={name: outcome.message for name, outcome in outcomes.items()})
