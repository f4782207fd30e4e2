"""The routes that compute with a model: thin, and without arithmetic."""

from fastapi import APIRouter, Request, Response

from app.answer_schemas import DecodeAnswer, EncodeAnswer, ReconstructAnswer, SampleAnswer
from app.answers import compute, respond
from app.calls import read_call, read_images, read_latents
from app.documentation import describe_route
from app.inference import vae
from app.schemas import DecodeOptions, EncodeOptions, ReconstructOptions, SampleOptions

router = APIRouter(tags=["models"])


@router.post("/reconstruct", **describe_route(ReconstructOptions, ReconstructAnswer, field="images"))
async def reconstruct(request: Request) -> Response:
    """Encode images, draw one latent each, and decode it: the model's picture of each, and how well it fits."""
    call, images = await read_images(request, ReconstructOptions)
    seed = call.options.choose_seed()
    computed = await compute(request, call, vae.reconstruct, call.model.adapter, images, seed=seed)
    return await respond(request, call, computed, seed=seed)


@router.post("/encode", **describe_route(EncodeOptions, EncodeAnswer, field="images"))
async def encode(request: Request) -> Response:
    """Encode images: mean and logvar of q(z|x), and with `sample=true` latents drawn from it."""
    call, images = await read_images(request, EncodeOptions)
    if not call.options.sample:
        computed = await compute(request, call, vae.encode, call.model.adapter, images)
        return await respond(request, call, computed, seed=None)
    seed = call.options.choose_seed()
    computed = await compute(request, call, vae.encode_and_sample, call.model.adapter, images, seed=seed)
    return await respond(request, call, computed, seed=seed)


@router.post("/decode", **describe_route(DecodeOptions, DecodeAnswer, field="latents"))
async def decode(request: Request) -> Response:
    """Decode latents: the image of each, as the probabilities of its pixels."""
    call, latents = await read_latents(request, DecodeOptions)
    computed = await compute(request, call, vae.decode, call.model.adapter, latents)
    return await respond(request, call, computed, seed=None)


@router.get("/sample", **describe_route(SampleOptions, SampleAnswer, field=None))
async def sample(request: Request) -> Response:
    """Draw images: latents from the prior N(0, I), and what they decode to."""
    call = await read_call(request, SampleOptions)
    seed = call.options.choose_seed()
    computed = await compute(request, call, vae.sample, call.model.adapter, n=call.options.n, seed=seed)
    return await respond(request, call, computed, seed=seed)
