"""Call every route with the client that openapi-generator generated as `triptych_generated`.

python generator_client.py URL KEY PNG_BASE64
"""

import sys

from triptych_generated import (
    ApiClient,
    CompareRequest,
    Configuration,
    DecodeRequest,
    EncodeRequest,
    InterpolateImagesRequest,
    InterpolateLatentsRequest,
    InterpolateRequest,
    ReconstructRequest,
    ScoreRequest,
)
from triptych_generated.api import AdminApi, ModelsApi, StatusApi
from triptych_generated.exceptions import UnprocessableEntityException
from triptych_generated.models.decode_request_latents_inner import DecodeRequestLatentsInner
from triptych_generated.models.reconstruct_request_images_inner import ReconstructRequestImagesInner

LARGEST_SEED = 2**63 - 1


def main(url: str, key: str, png_base64: str) -> None:
    """Call every route."""
    with ApiClient(Configuration(host=url, access_token=key)) as client:
        call_models(ModelsApi(client), png_base64)
        status = StatusApi(client)
        assert len(status.frameworks().frameworks) == 3
        assert status.healthz().status == "ok"
        assert status.readyz(framework="pytorch").frameworks == ["pytorch"]
        assert "triptych_requests" in status.metrics()
        assert len(AdminApi(client).reload().reloaded) == 3


def call_models(models: ModelsApi, png_base64: str) -> None:
    """Call the model routes."""
    images = [ReconstructRequestImagesInner(png_base64)]
    latents = [DecodeRequestLatentsInner([0.5] * 20), DecodeRequestLatentsInner([-0.5] * 20)]

    body = ReconstructRequest(images=images, seed=LARGEST_SEED)
    assert models.reconstruct(body, seed=LARGEST_SEED).seed == LARGEST_SEED
    assert len(models.encode(EncodeRequest(images=images, sample=True)).latents) == 1
    assert len(models.decode(DecodeRequest(latents=latents)).probs) == 2
    assert len(models.sample(n=3, seed=7).latents) == 3
    assert len(models.score(ScoreRequest(images=images, samples=16)).iwae) == 1
    between_latents = InterpolateRequest(InterpolateLatentsRequest(latents=latents, steps=5))
    assert len(models.interpolate(between_latents).probs) == 5
    between_images = InterpolateRequest(InterpolateImagesRequest(images=images * 2))
    assert len(models.interpolate(between_images, steps=4).probs) == 4
    assert set(models.compare(CompareRequest(images=images)).results) == {"jax", "tensorflow", "pytorch"}
    try:
        models.reconstruct(body, seed=8)
    except UnprocessableEntityException as error:
        assert "query.seed" in error.body  # noqa: PT017 -- no pytest in this environment
    else:
        raise AssertionError("two seeds were accepted")


if __name__ == "__main__":
    main(*sys.argv[1:])
