"""The route that sends the same images and noise to every framework."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter

from app.api.execution import json_response, run_until_deadline
from app.api.request_context import RequestContext
from app.api.request_parsing import InferenceRequest, parse_images, parse_query, read_inputs
from app.api.response_rendering import RawResponse
from app.api.schemas.openapi import describe_route
from app.api.schemas.requests import CompareOptions
from app.api.schemas.responses import CompareResponse
from app.codecs.error_messages import invalid_value
from app.errors import FrameworkUnavailableError, RetryLaterError, ServiceError
from app.inference.comparison import compare
from app.inference.models.state import RETRY_WHILE_LOADING_S, LoadedModel
from app.inference.noise import choose_seed
from training.counts import count_of

router = APIRouter(tags=["models"])


@router.post("/compare", name="compare", **describe_route(CompareOptions, CompareResponse, field="images"))
async def compare_frameworks(context: RequestContext) -> RawResponse:
    """Reconstruct the same images with the same noise in every ready framework, and report the differences.

    With `weights`, all frameworks compute with the same checkpoint.
    """
    request = parse_query(context, CompareOptions)
    models, unavailable = await _select_models(context, request)
    request, images = await read_inputs(context, request, next(iter(models.values())), parse_images, field="images")
    seed = choose_seed(request.options.seed)
    sessions = {name: context.new_session(model) for name, model in models.items()}
    comparison = await run_until_deadline(context, compare(sessions, images, seed=seed), list(models))
    if not comparison.results:
        raise next(iter(comparison.errors.values()))
    unavailable |= {name: str(error) for name, error in comparison.errors.items()}
    members = {
        "results": {
            name: {**arrays, **models[name].provenance, "seed": seed} for name, arrays in comparison.results.items()
        },
        "model_ms": comparison.model_ms,
        "max_abs_difference": comparison.max_abs_difference,
        "unavailable": unavailable,
        "seed": seed,
    }
    size = sum(array.nbytes for arrays in comparison.results.values() for array in arrays.values())
    return await json_response(context, members, size=size)


async def _select_models(
    context: RequestContext, request: InferenceRequest[CompareOptions]
) -> tuple[dict[str, LoadedModel], dict[str, str]]:
    """Return the requested model of each framework that has it, and why the others have none.

    Raises:
        InvalidValueError: They take images or latents of different shapes.
        ServiceError: No framework has it; the only reason, or all of them.
    """
    states = context.services.registry.states
    outcomes = await asyncio.gather(
        *(context.acquire_model(request.choice._replace(framework=state.framework)) for state in states),
        return_exceptions=True,
    )
    context.scope["state"].pop("framework", None)  # metrics and log would name the framework that was looked up last
    models: dict[str, LoadedModel] = {}
    errors: dict[str, ServiceError] = {}
    for state, outcome in zip(states, outcomes, strict=True):
        if isinstance(outcome, ServiceError):
            errors[state.framework] = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            models[state.framework] = outcome
    _check_shapes(models)
    unavailable = {name: str(error) for name, error in errors.items()}
    if not models:
        first, *others = errors.values()
        is_same = all(type(error) is type(first) for error in others) and not isinstance(first, RetryLaterError)
        if not others or is_same:
            raise first
        raise FrameworkUnavailableError("; ".join(unavailable.values()), retry_after_s=RETRY_WHILE_LOADING_S)
    return models, unavailable


def _check_shapes(models: Mapping[str, LoadedModel]) -> None:
    shapes = {
        name: f"{'x'.join(map(str, config.image_shape))} pixels and {count_of(config.latent_dim, 'latent')}"
        for name, config in ((name, model.adapter.model) for name, model in models.items())
    }
    if len(set(shapes.values())) > 1:
        listing = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise invalid_value(
            "query.model",
            f"the frameworks' models differ in shape ({listing}): compare a model of one shape, or use weights",
        )
