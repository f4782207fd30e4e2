"""Routes that list the models of each framework, and their companion files for the page."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from app.api.dependencies import RegistryDep, SettingsDep
from app.api.query_options import read_query
from app.api.schemas.model_file_responses import CompanionResponse
from app.api.schemas.openapi import describe_companion_route, describe_status_route
from app.api.schemas.responses import ModelsResponse, ModelStatus, SnapshotStatus
from app.codecs.content_negotiation import matches
from app.codecs.error_messages import truncated
from app.errors import NotFoundError
from app.inference.models.catalog import describe_model
from app.inference.models.registry import Registry
from app.inference.models.state import ModelState, Status
from training.checkpoints.companion_file import read_companion
from training.checkpoints.model_files import ModelFile, check_name
from training.errors import CheckpointError, ConfigError, UnknownFrameworkError
from training.frameworks import canonical_framework

router = APIRouter(tags=["status"])

_COMPANION_PATH: Final = "/models/{framework}/{name}/companion"


@router.get("/models", **describe_status_route())
async def models(request: Request, registry: RegistryDep, settings: SettingsDep) -> ModelsResponse:
    """List the models of each framework: shape, data set, metrics, checkpoint, and which are loaded."""
    read_query(request.query_params, known=())
    states = {state.key: state for state in registry.all_states}
    keys = {registry.key(framework, name) for framework, name in await asyncio.to_thread(registry.list_names)}
    keys |= {key for key in states if not key.weights and key.epoch is None}
    order = {name: place for place, name in enumerate(settings.frameworks)}
    views = [
        (ModelFile(settings.checkpoints, key.framework, key.name), states.get(key))
        for key in sorted(keys, key=lambda key: (order[key.framework], key.name != registry.default_model, key.name))
    ]
    statuses = await asyncio.to_thread(lambda: [_view(model, state) for model, state in views])
    return ModelsResponse(default_framework=registry.default, default_model=registry.default_model, models=statuses)


# `find_file` checks the parameters of the path, which FastAPI would document again, with errors of its own.
@router.get(_COMPANION_PATH, **describe_companion_route(CompanionResponse))
async def model_companion(request: Request, registry: RegistryDep, settings: SettingsDep) -> Response:
    """Return a model's companion file: test images with labels, their latent means, and maps of the latent space."""
    read_query(request.query_params, known=())
    model = find_file(registry, settings.checkpoints, **request.path_params)
    state = next(
        (state for state in registry.all_states if state.key == registry.key(model.framework, model.name)), None
    )
    content = await asyncio.to_thread(_read_companion, model, state)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if matches(etag, request.headers.getlist("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def find_file(registry: Registry, checkpoints: Path, framework: str, name: str) -> ModelFile:
    """Return the place of a model that a path names; there needn't be a file.

    Raises:
        NotFoundError: The framework isn't served, or no model can have that name.
    """
    served = [state.framework for state in registry.states]
    try:
        canonical = canonical_framework(framework)
    except UnknownFrameworkError:
        canonical = ""
    if canonical not in served:
        raise NotFoundError(f"{truncated(framework)} is not served here: expected one of {', '.join(served)}")
    try:
        check_name(name)
    except ConfigError as error:
        raise NotFoundError(str(error)) from error
    return ModelFile(checkpoints, canonical, name)


def _read_companion(model: ModelFile, state: ModelState | None) -> bytes:
    entry = describe_model(model, state)
    if entry.checkpoint_id is None:
        raise NotFoundError(f"there is no model {model}: GET /models lists them")
    try:
        return read_companion(model, checkpoint_id=entry.checkpoint_id)
    except CheckpointError as error:
        raise NotFoundError(str(error)) from error


def _view(model: ModelFile, state: ModelState | None) -> ModelStatus:
    entry = describe_model(model, state)
    status = state.status if state else (Status.AVAILABLE if entry.reason is None else Status.FAILED)
    return ModelStatus(
        framework=model.framework,
        name=model.name,
        state=status,
        ready=status is Status.READY,
        reason=state.reason if state else entry.reason,
        checkpoint=entry.checkpoint_id,
        image_shape=list(entry.config.image_shape) if entry.config else None,
        hidden_dim=entry.config.hidden_dim if entry.config else None,
        latent_dim=entry.config.latent_dim if entry.config else None,
        dataset=entry.dataset,
        metrics=entry.metrics,
        companion=entry.has_companion,
        snapshots=[SnapshotStatus(epoch=epoch, validation_elbo=elbo) for epoch, elbo in entry.snapshots],
    )
