"""The routes of one model: reconstruct, encode, decode, sample, interpolate and score. No arithmetic."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter

from app.api.execution import run_model, run_operation
from app.api.model_route import ModelRoute
from app.api.request_context import RequestContext
from app.api.request_parsing import (
    InferenceRequest,
    parse_ends,
    parse_images,
    parse_query,
    read_inputs,
    validate_output,
)
from app.api.response_rendering import RawResponse
from app.api.schemas.openapi import describe_route
from app.api.schemas.requests import (
    DecodeOptions,
    EncodeOptions,
    InterpolateOptions,
    ReconstructOptions,
    SampleOptions,
    ScoreOptions,
)
from app.api.schemas.responses import (
    DecodeResponse,
    EncodeResponse,
    InterpolateResponse,
    ReconstructResponse,
    SampleResponse,
    ScoreResponse,
)
from app.codecs.limits import Limits
from app.codecs.payload import Payload
from app.codecs.payload_arrays import latents_from
from app.inference import operations, scoring
from app.inference.noise import choose_seed
from app.inference.operations import Operation
from training.config import ModelConfig

router = APIRouter(tags=["models"])


def _reconstruct(
    request: InferenceRequest[ReconstructOptions], payload: Payload, model: ModelConfig, limits: Limits
) -> Operation:
    images = parse_images(request, payload, model, limits)
    return operations.reconstruct(model, images, seed=request.options.seed, outputs=request.outputs)


def _encode(
    request: InferenceRequest[EncodeOptions], payload: Payload, model: ModelConfig, limits: Limits
) -> Operation:
    images = parse_images(request, payload, model, limits)
    if request.options.sample:
        return operations.encode_and_sample(model, images, seed=request.options.seed)
    return operations.encode(model, images)


def _decode(_: InferenceRequest[DecodeOptions], payload: Payload, model: ModelConfig, limits: Limits) -> Operation:
    return operations.decode(model, latents_from(payload, model=model, limits=limits))


RECONSTRUCT: Final = ModelRoute("/reconstruct", ReconstructOptions, "images", _reconstruct)
ENCODE: Final = ModelRoute("/encode", EncodeOptions, "images", _encode)
DECODE: Final = ModelRoute("/decode", DecodeOptions, "latents", _decode)

SINGLE_OPERATION_ROUTES: Final[Sequence[ModelRoute[Any]]] = (RECONSTRUCT, ENCODE, DECODE)
"""The routes that run one operation on the inputs in their body."""


@router.post(RECONSTRUCT.path, **describe_route(ReconstructOptions, ReconstructResponse, field="images"))
async def reconstruct(context: RequestContext) -> RawResponse:
    """Reconstruct images: encode each, sample one latent, decode it, and return the ELBO and its terms."""
    return await RECONSTRUCT.respond(context)


@router.post(ENCODE.path, **describe_route(EncodeOptions, EncodeResponse, field="images"))
async def encode(context: RequestContext) -> RawResponse:
    """Encode images: mean and logvar of q(z|x), and with `sample=true` latents sampled from it."""
    return await ENCODE.respond(context)


@router.post(DECODE.path, **describe_route(DecodeOptions, DecodeResponse, field="latents"))
async def decode(context: RequestContext) -> RawResponse:
    """Decode latents into images, as probabilities of the pixels."""
    return await DECODE.respond(context)


@router.get("/sample", **describe_route(SampleOptions, SampleResponse, field=None))
async def sample(context: RequestContext) -> RawResponse:
    """Sample images: latents from the prior N(0, I), decoded."""
    request = parse_query(context, SampleOptions)
    model = await context.acquire_model(request.choice)
    validate_output(request)
    operation = operations.sample(model.adapter.model, n=request.options.n, seed=request.options.seed)
    return await run_operation(context, request, model, operation)


@router.post("/score", **describe_route(ScoreOptions, ScoreResponse, field="images"))
async def score(context: RequestContext) -> RawResponse:
    """Score images: the ELBO and its terms, and from two samples the importance-weighted bound on log p(x)."""
    request = parse_query(context, ScoreOptions)
    model = await context.acquire_model(request.choice)
    request, images = await read_inputs(context, request, model, parse_images, field="images")
    seed, samples = choose_seed(request.options.seed), request.options.samples
    return await run_model(
        context, request, model, lambda session: scoring.score(session, images, samples=samples, seed=seed), seed=seed
    )


@router.post("/interpolate", **describe_route(InterpolateOptions, InterpolateResponse, field="ends"))
async def interpolate(context: RequestContext) -> RawResponse:
    """Interpolate between two images (the means of their q(z|x)) or two latents: a straight line, decoded."""
    request = parse_query(context, InterpolateOptions)
    model = await context.acquire_model(request.choice)
    request, (kind, ends) = await read_inputs(context, request, model, parse_ends, field="ends")
    steps = min(request.options.steps, context.services.limits.max_images)  # the default may be over a low limit
    if kind == "latents":
        return await run_operation(
            context, request, model, operations.interpolate(model.adapter.model, ends, steps=steps)
        )
    return await run_model(
        context, request, model, lambda session: scoring.interpolate_images(session, ends, steps=steps), seed=None
    )
