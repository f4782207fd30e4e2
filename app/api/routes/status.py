"""The routes that tell what is served and whether it is ready."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app.answer_schemas import FrameworksAnswer, FrameworkView, HealthAnswer, ReadyAnswer
from app.dependencies import MetricsDep, RegistryDep
from app.documentation import describe_status_route
from app.exceptions import FrameworkUnavailableError
from app.inference.registry import RETRY_WHEN_BROKEN_S, RETRY_WHILE_LOADING_S
from app.inference.states import FrameworkState, Status
from app.options import read_framework, read_query
from app.schemas import FrameworkOptions

router = APIRouter(tags=["status"])


@router.get("/frameworks", **describe_status_route())
async def frameworks(request: Request, registry: RegistryDep) -> FrameworksAnswer:
    """Tell which frameworks are served: version, device, checkpoint and its figures, or why not."""
    read_query(request.query_params, known=())
    return FrameworksAnswer(default=registry.default, frameworks=[_view(state) for state in registry.states])


@router.get("/healthz")
async def healthz() -> HealthAnswer:
    """Tell that the server answers, whatever its models do."""
    return HealthAnswer(status="ok")


@router.get("/readyz", **describe_status_route(FrameworkOptions))
async def readyz(request: Request, registry: RegistryDep) -> ReadyAnswer:
    """Tell whether every framework that is installed is ready, or the one that is asked for."""
    framework = read_framework(request.query_params)
    if framework is not None:
        registry.get(framework)
        return ReadyAnswer(status="ready", frameworks=[framework])
    # What isn't installed isn't waited for, unless there is nothing else.
    unready = [
        state
        for state in registry.states
        if state.status in (Status.LOADING, Status.FAILED) or registry.nothing_is_left
    ]
    if unready:
        loading = any(state.status is Status.LOADING for state in unready)
        raise FrameworkUnavailableError(
            "; ".join(str(state.reason) for state in unready),
            retry_after_s=RETRY_WHILE_LOADING_S if loading else RETRY_WHEN_BROKEN_S,
        )
    ready = [state.framework for state in registry.states if state.status is Status.READY]
    return ReadyAnswer(status="ready", frameworks=ready)


@router.get("/metrics", response_class=PlainTextResponse, **describe_status_route())
def metrics(request: Request, counted: MetricsDep) -> PlainTextResponse:
    """Tell what was counted and measured, in Prometheus's text format, for all worker processes together."""
    # No coroutine, so that reading the files of many workers holds up no one.
    read_query(request.query_params, known=())
    return PlainTextResponse(counted.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _view(state: FrameworkState) -> FrameworkView:
    model = state.model
    if model is None:
        return FrameworkView(framework=state.framework, status=state.status, ready=False, reason=state.reason)
    return FrameworkView(
        framework=state.framework,
        status=state.status,
        ready=True,
        framework_version=model.adapter.framework_version,
        device=model.adapter.device,
        threads=model.adapter.threads,
        checkpoint=model.checkpoint_id,
        model=model.adapter.model.to_json(),
        training={
            "framework": model.checkpoint.framework,
            "framework_version": model.checkpoint.framework_version,
            **model.checkpoint.training,
        },
        metrics=dict(model.checkpoint.metrics),
        load_seconds=round(model.load_seconds, 3),
    )
