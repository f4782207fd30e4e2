"""The routes that compute with one model: thin, and without arithmetic."""

from fastapi import APIRouter

from app.answer_schemas import (
    DecodeAnswer,
    EncodeAnswer,
    InterpolateAnswer,
    ReconstructAnswer,
    SampleAnswer,
    ScoreAnswer,
)
from app.answers import Answer, answer
from app.calls import choose_model, read_call, read_ends, read_images, read_latents
from app.documentation import describe_route
from app.exchange import Exchange
from app.inference import tasks
from app.schemas import (
    DecodeOptions,
    EncodeOptions,
    InterpolateOptions,
    ReconstructOptions,
    SampleOptions,
    ScoreOptions,
)

router = APIRouter(tags=["models"])


@router.post("/reconstruct", **describe_route(ReconstructOptions, ReconstructAnswer, field="images"))
async def reconstruct(exchange: Exchange) -> Answer:
    """Encode images, draw one latent each, and decode it: the model's picture of each, and how well it fits."""
    call = read_call(exchange, ReconstructOptions)
    model = choose_model(exchange, call)
    call, images = await read_images(exchange, call, model)
    seed = call.options.choose_seed()
    task = tasks.reconstruct_only if tasks.NEEDS_NO_SCORE.issuperset(call.outputs) else tasks.reconstruct
    return await answer(exchange, call, model, lambda on: task(on, images, seed=seed), seed=seed)


@router.post("/encode", **describe_route(EncodeOptions, EncodeAnswer, field="images"))
async def encode(exchange: Exchange) -> Answer:
    """Encode images: mean and logvar of q(z|x), and with `sample=true` latents drawn from it."""
    call = read_call(exchange, EncodeOptions)
    model = choose_model(exchange, call)
    call, images = await read_images(exchange, call, model)
    if not call.options.sample:
        return await answer(exchange, call, model, lambda on: tasks.encode(on, images), seed=None)
    seed = call.options.choose_seed()
    return await answer(exchange, call, model, lambda on: tasks.encode_and_sample(on, images, seed=seed), seed=seed)


@router.post("/decode", **describe_route(DecodeOptions, DecodeAnswer, field="latents"))
async def decode(exchange: Exchange) -> Answer:
    """Decode latents: the image of each, as the probabilities of its pixels."""
    call = read_call(exchange, DecodeOptions)
    model = choose_model(exchange, call)
    call, latents = await read_latents(exchange, call, model)
    return await answer(exchange, call, model, lambda on: tasks.decode(on, latents), seed=None)


@router.get("/sample", **describe_route(SampleOptions, SampleAnswer, field=None))
async def sample(exchange: Exchange) -> Answer:
    """Draw images: latents from the prior N(0, I), and what they decode to."""
    call = read_call(exchange, SampleOptions)
    model = choose_model(exchange, call)
    seed, n = call.options.choose_seed(), call.options.n
    return await answer(exchange, call, model, lambda on: tasks.sample(on, n=n, seed=seed), seed=seed)


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
    task = tasks.interpolate_latents if kind == "latents" else tasks.interpolate_images
    return await answer(exchange, call, model, lambda on: task(on, ends, steps=steps), seed=None)
