"""Status routes: loaded frameworks, liveness, readiness and metrics."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app.api.dependencies import MetricsDep, RegistryDep
from app.api.query_options import read_framework, read_query
from app.api.schemas.error_responses import error_references
from app.api.schemas.model_options import FrameworkOptions
from app.api.schemas.openapi import describe_status_route
from app.api.schemas.responses import FrameworksResponse, FrameworkStatus, HealthResponse, ReadyResponse
from app.inference.models.readiness import require_model_ready, require_ready
from app.inference.models.state import ModelState
from training.checkpoints.summary import public_training
from training.frameworks import framework_look

router = APIRouter(tags=["status"])


@router.get("/frameworks", **describe_status_route())
async def frameworks(request: Request, registry: RegistryDep) -> FrameworksResponse:
    """List the frameworks: version, device, checkpoint and its metrics, or why one is not ready."""
    read_query(request.query_params, known=())
    views = [_view(state, restarts=registry.count_restarts(state.framework)) for state in registry.states]
    return FrameworksResponse(default=registry.default, frameworks=views)


@router.get("/healthz", openapi_extra={"responses": error_references([422])})
async def healthz(request: Request) -> HealthResponse:
    """Report that the server is alive, whatever the state of its models."""
    read_query(request.query_params, known=())
    return HealthResponse(status="ok")


@router.get("/readyz", **describe_status_route(FrameworkOptions))
async def readyz(request: Request, registry: RegistryDep) -> ReadyResponse:
    """Report that every installed framework is ready in every worker, or the requested one; 503 until then."""
    framework = read_framework(request.query_params)
    if framework is not None:
        require_model_ready(registry, framework)
        return ReadyResponse(status="ready", frameworks=[framework])
    return ReadyResponse(status="ready", frameworks=require_ready(registry))


@router.get("/metrics", response_class=PlainTextResponse, **describe_status_route())
def metrics(request: Request, counted: MetricsDep) -> PlainTextResponse:
    """Return the metrics of all worker processes in Prometheus's text format."""
    # No coroutine, so that reading the files of many workers blocks no request.
    read_query(request.query_params, known=())
    return PlainTextResponse(counted.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _view(state: ModelState, *, restarts: int) -> FrameworkStatus:
    common_fields: dict[str, Any] = {**framework_look(state.framework), "restarts": restarts}
    model = state.model
    if model is None:
        return FrameworkStatus(**common_fields, status=state.status, ready=False, reason=state.reason)
    architecture = model.adapter.model.to_json()
    if not model.checkpoint.weights:  # computed on another server, which doesn't report it
        del architecture["hidden_dim"]
    return FrameworkStatus(
        **common_fields,
        status=state.status,
        ready=True,
        framework_version=model.adapter.framework_version,
        device=model.adapter.device,
        device_name=model.adapter.details.name if model.adapter.details else None,
        device_memory_bytes=model.adapter.details.memory_bytes if model.adapter.details else None,
        max_batch=model.adapter.max_batch,
        threads=model.adapter.threads,
        pid=model.adapter.pid,
        checkpoint=model.checkpoint_id,
        model=architecture,
        training={
            "framework": model.checkpoint.framework,
            "framework_version": model.checkpoint.framework_version,
            **public_training(model.checkpoint),
        },
        metrics=dict(model.checkpoint.metrics),
        load_seconds=round(model.load_seconds, 3),
    )
