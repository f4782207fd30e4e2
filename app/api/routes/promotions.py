"""Routes that promote a checkpoint and roll back, under load; they need a key."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Request

from app.api.dependencies import ContextDep, KeysDep, RegistryDep, ReloaderDep, SettingsDep
from app.api.query_options import read_query, validate
from app.api.request_context import RequestContext
from app.api.routes.admin import require_keys
from app.api.routes.catalog import find_file
from app.api.schemas.model_file_responses import HistoryResponse, PromotionResponse
from app.api.schemas.model_options import PromoteOptions
from app.api.schemas.openapi import describe_promotion_route
from app.codecs.error_messages import invalid_value
from app.codecs.multipart import parse_named_files
from app.errors import FieldError, InvalidValueError, NotFoundError, ReloadError
from app.inference.models.registry import Registry
from app.reload import Reloader
from app.settings import Settings
from training.checkpoints.checkpoint import ID_DIGITS
from training.checkpoints.companion_file import check_companion
from training.checkpoints.history import Event, History
from training.checkpoints.model_files import ModelFile
from training.checkpoints.promotion import promote, roll_back, undo
from training.checkpoints.snapshots import check_snapshots
from training.errors import CheckpointError, PromotionError, UnwritableError

router = APIRouter(tags=["admin"], prefix="/admin/models/{framework}/{name}")

_CHECKPOINT: Final = "checkpoint"
_SIDE_FILES: Final = {
    "companion": ("companion.json", check_companion),
    "snapshots": ("snapshots.safetensors", check_snapshots),
}
"""Fields of a form: the suffix of each file in `ModelFile.side_files`, and its check."""

_BODY: Final = Path("the body")
"""Stands for the file in messages."""


class _Admin(NamedTuple):
    """The parts of the application that these routes use."""

    registry: Registry
    settings: Settings
    reloader: Reloader

    def find(self, request: Request) -> ModelFile:
        """Return the place of the model that the path names; errors are those of `find_file`."""
        return find_file(self.registry, self.settings.checkpoints, **request.path_params)


async def _require_admin(keys: KeysDep, registry: RegistryDep, settings: SettingsDep, reloader: ReloaderDep) -> _Admin:
    require_keys(keys)
    return _Admin(registry, settings, reloader)


AdminDep = Annotated[_Admin, Depends(_require_admin)]


@router.post("/promote", **describe_promotion_route(PromoteOptions))
async def promote_model(request: Request, context: ContextDep, admin: AdminDep) -> PromotionResponse:
    """Check the checkpoint in the body, a safetensors file, and serve it; the one that it replaces is kept.

    A form has the file in the field `checkpoint`, its companion file in `companion`, and the weights of earlier epochs
    in `snapshots`. A lower test ELBO on the same data set and target, or another shape, is 409 unless `force=true`.
    """
    values = read_query(request.query_params, known=PromoteOptions.model_fields)
    force = validate(PromoteOptions, values, source="query").force
    model = admin.find(request)
    content, side_files = await _read_files(context)
    change = partial(promote, content, model, source=_BODY, side_files=side_files, force=force)
    return await _change(model, change, admin)


@router.post("/rollback", **describe_promotion_route())
async def roll_back_model(request: Request, admin: AdminDep) -> PromotionResponse:
    """Serve the checkpoint that the current one replaced; again, the one before that."""
    read_query(request.query_params, known=())
    model = admin.find(request)
    return await _change(model, partial(_roll_back, model), admin)


@router.get("/history", **describe_promotion_route())
async def model_history(request: Request, admin: AdminDep) -> HistoryResponse:
    """List the promotions and rollbacks of a model, oldest first."""
    read_query(request.query_params, known=())
    model = admin.find(request)
    try:
        events = await asyncio.to_thread(_list_events, model)
    except PromotionError as error:
        raise ReloadError(_without_paths(error, model), []) from error
    return HistoryResponse(events=list(events))


def _list_events(model: ModelFile) -> Sequence[Event]:
    """Return the promotions and rollbacks of a model.

    Raises:
        NotFoundError: It has neither a checkpoint nor a history.
        PromotionError: Its history is damaged.
    """
    events = History(model).events
    if not events and not model.path.exists():
        raise NotFoundError(f"there is no model {model}: /models lists those that there are")
    return events


def _roll_back(model: ModelFile) -> Event:
    _list_events(model)
    return roll_back(model)


async def _change(model: ModelFile, change: Callable[[], Event], admin: _Admin) -> PromotionResponse:
    """Change the file, then have this worker and the others serve it; undo it if the checkpoint doesn't load."""
    try:
        event = await asyncio.to_thread(change)
    except (PromotionError, UnwritableError) as error:
        raise ReloadError(_without_paths(error, model), []) from error
    except CheckpointError as error:
        why = _without_paths(error, model)
        raise InvalidValueError(why, [FieldError("body", why)]) from error
    results = await admin.registry.reload(model.framework, model.name)
    failed = [FieldError(name, result.message) for name, result in results.items() if not result.is_served]
    if failed:
        try:
            await asyncio.to_thread(undo, event, model)
        except (CheckpointError, PromotionError) as error:
            failed.append(FieldError("undo", _without_paths(error, model)))
        raise ReloadError("; ".join(map(str, failed)), failed)
    admin.reloader.broadcast_reload()
    return PromotionResponse(event=event, served={name: result.message for name, result in results.items()})


def _without_paths(error: CheckpointError | PromotionError, model: ModelFile) -> str:
    return str(error).replace(str(model.checkpoints), "checkpoints")


async def _read_files(context: RequestContext) -> tuple[bytes, dict[str, bytes]]:
    """Return a checkpoint's file and, if the body is a form, those that belong to it, by suffix.

    Raises:
        InvalidValueError: The form has no checkpoint, or another file of it is damaged or belongs to another.
        RequestError: The body can't be read.
    """
    body = bytes(await context.read_body())
    content_type = context.header(b"content-type") or ""
    if not content_type.lower().startswith("multipart/form-data"):
        return body, {}
    limits = context.services.limits
    files = await parse_named_files(body, content_type=content_type, limits=limits, names=(_CHECKPOINT, *_SIDE_FILES))
    if _CHECKPOINT not in files:
        raise invalid_value("body.checkpoint", "is missing: expected a safetensors file")
    await asyncio.to_thread(_check_side_files, files)
    return files[_CHECKPOINT], {suffix: files[name] for name, (suffix, _) in _SIDE_FILES.items() if name in files}


def _check_side_files(files: Mapping[str, bytes]) -> None:
    checkpoint_id = hashlib.sha256(files[_CHECKPOINT]).hexdigest()[:ID_DIGITS]
    for name, (_, check) in _SIDE_FILES.items():
        if name not in files:
            continue
        try:
            check(files[name], checkpoint_id=checkpoint_id, name=f"the {name} file in the form")
        except CheckpointError as error:
            raise InvalidValueError(str(error), [FieldError(f"body.{name}", str(error))]) from error
