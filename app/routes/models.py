"""The routes that compute with one model: thin, and without arithmetic."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter
from numpy import ndarray

from app.answer_schemas import (
    DecodeAnswer,
    EncodeAnswer,
    InterpolateAnswer,
    ReconstructAnswer,
    SampleAnswer,
    ScoreAnswer,
)
from app.answers import Answer, answer, answer_plan
from app.calls import Call, choose_model, images_of, latents_of, read_call, read_ends, read_images
from app.documentation import describe_route
from app.exchange import Exchange
from app.inference import plans, tasks
from app.inference.plans import Plan
from app.planned_route import PlannedRoute
from app.schemas import (
    DecodeOptions,
    EncodeOptions,
    InterpolateOptions,
    ReconstructOptions,
    SampleOptions,
    ScoreOptions,
)
from training.config import ModelConfig

router = APIRouter(tags=["models"])


def _plan_reconstruction(call: Call[ReconstructOptions], model: ModelConfig, images: ndarray) -> Plan:
    plan = plans.reconstruct_only if plans.NEEDS_NO_SCORE.issuperset(call.outputs) else plans.reconstruct
    return plan(model, images, seed=call.options.choose_seed())


def _plan_encoding(call: Call[EncodeOptions], model: ModelConfig, images: ndarray) -> Plan:
    if call.options.sample:
        return plans.encode_and_sample(model, images, seed=call.options.choose_seed())
    return plans.encode(model, images)


def _plan_decoding(_: Call[DecodeOptions], model: ModelConfig, latents: ndarray) -> Plan:
    return plans.decode(model, latents)


_RECONSTRUCT: Final = PlannedRoute("/reconstruct", ReconstructOptions, "images", images_of, _plan_reconstruction)
_ENCODE: Final = PlannedRoute("/encode", EncodeOptions, "images", images_of, _plan_encoding)
_DECODE: Final = PlannedRoute("/decode", DecodeOptions, "latents", latents_of, _plan_decoding)

PLANNED: Final[Sequence[PlannedRoute[Any]]] = (_RECONSTRUCT, _ENCODE, _DECODE)
"""Those with a body that one operation answers."""


@router.post(_RECONSTRUCT.path, **describe_route(ReconstructOptions, ReconstructAnswer, field="images"))
async def reconstruct(exchange: Exchange) -> Answer:
    """Encode images, draw one latent each, and decode it: the model's picture of each, and how well it fits."""
    return await _RECONSTRUCT.answer(exchange)


@router.post(_ENCODE.path, **describe_route(EncodeOptions, EncodeAnswer, field="images"))
async def encode(exchange: Exchange) -> Answer:
    """Encode images: mean and logvar of q(z|x), and with `sample=true` latents drawn from it."""
    return await _ENCODE.answer(exchange)


@router.post(_DECODE.path, **describe_route(DecodeOptions, DecodeAnswer, field="latents"))
async def decode(exchange: Exchange) -> Answer:
    """Decode latents: the image of each, as the probabilities of its pixels."""
    return await _DECODE.answer(exchange)


@router.get("/sample", **describe_route(SampleOptions, SampleAnswer, field=None))
async def sample(exchange: Exchange) -> Answer:
    """Draw images: latents from the prior N(0, I), and what they decode to."""
    call = read_call(exchange, SampleOptions)
    model = choose_model(exchange, call)
    plan = plans.sample(model.adapter.model, n=call.options.n, seed=call.options.choose_seed())
    return await answer_plan(exchange, call, model, plan)


@router.post("/score", **describe_route(ScoreOptions, ScoreAnswer, field="images"))
async def score(exchange: Exchange) -> Answer:
    """Score images: the ELBO and its parts, and with several samples the importance-weighted bound on log p(x)."""
    call = read_call(exchange, ScoreOptions)
    model = choose_model(exchange, call)
    call, images = await read_images(exchange, call, model)
    seed, samples = call.options.choose_seed(), call.options.samples
    return await answer(
        exchange, call, model, lambda on: tasks.score(on, images, samples=samples, seed=seed), seed=seed
    )


@router.post("/interpolate", **describe_route(InterpolateOptions, InterpolateAnswer, field="ends"))
async def interpolate(exchange: Exchange) -> Answer:
    """Interpolate between two images, by their means, or between two latents: a straight line, decoded."""
    call = read_call(exchange, InterpolateOptions)
    model = choose_model(exchange, call)
    call, kind, ends = await read_ends(exchange, call, model)
    steps = call.options.steps
    if kind == "latents":
        return await answer_plan(exchange, call, model, plans.interpolate(model.adapter.model, ends, steps=steps))
    return await answer(exchange, call, model, lambda on: tasks.interpolate_images(on, ends, steps=steps), seed=None)
