"""Call every route with the client that openapi-python-client generated as `triptych_client`, with types checked.

python python_client.py URL KEY PNG_FILE PNG_BASE64
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from triptych_client import AuthenticatedClient
from triptych_client.api.admin import reload
from triptych_client.api.models import compare, decode, encode, interpolate, reconstruct, sample, score
from triptych_client.api.status import frameworks, healthz, metrics, readyz
from triptych_client.models import (
    CompareRequest,
    CompareResponse,
    DecodeRequest,
    DecodeResponse,
    EncodeFramework,
    EncodeRequest,
    EncodeResponse,
    FrameworksResponse,
    HealthResponse,
    ImageFiles,
    InterpolateImagesRequest,
    InterpolateLatentsRequest,
    InterpolateResponse,
    Problem,
    ReadyResponse,
    ReconstructRequest,
    ReconstructResponse,
    ReloadResponse,
    SampleResponse,
    ScoreRequest,
    ScoreResponse,
)
from triptych_client.types import File

T = TypeVar("T")


def expect(kind: type[T], value: object) -> T:
    """Return the value, which must be of that type."""
    assert isinstance(value, kind), value
    return value


def main(url: str, key: str, png: Path, png_base64: str) -> None:
    """Call every route."""
    client = AuthenticatedClient(base_url=url, token=key)
    images: list[float | list[float] | list[list[float]] | str] = [png_base64]
    ends: list[float | list[float]] = [[0.5] * 20, [-0.5] * 20]

    reconstruction = expect(
        ReconstructResponse,
        reconstruct.sync(client=client, body=ReconstructRequest(images=images, seed=7), seed=7),
    )
    assert reconstruction.seed == 7
    assert len(reconstruction.probs[0]) == 28

    latents = expect(
        EncodeResponse,
        encode.sync(client=client, body=EncodeRequest(images=images, sample=True), framework=EncodeFramework.PYTORCH),
    )
    assert latents.framework == "pytorch"
    form = ImageFiles(files=[File(payload=BytesIO(png.read_bytes()), file_name=png.name, mime_type="image/png")])
    assert (
        expect(EncodeResponse, encode.sync(client=client, body=form)).mean
        == expect(EncodeResponse, encode.sync(client=client, body=EncodeRequest(images=images))).mean
    )

    assert len(expect(DecodeResponse, decode.sync(client=client, body=DecodeRequest(latents=ends))).probs) == 2
    assert len(expect(SampleResponse, sample.sync(client=client, n=3, seed=7)).latents) == 3

    scores = expect(ScoreResponse, score.sync(client=client, body=ScoreRequest(images=images, samples=16)))
    assert isinstance(scores.iwae, list)

    between_latents = InterpolateLatentsRequest(latents=ends, steps=5)
    assert len(expect(InterpolateResponse, interpolate.sync(client=client, body=between_latents)).probs) == 5
    between_images = InterpolateImagesRequest(images=[*images, *images])
    assert len(expect(InterpolateResponse, interpolate.sync(client=client, body=between_images, steps=4)).probs) == 4

    comparison = expect(CompareResponse, compare.sync(client=client, body=CompareRequest(images=images, seed=7)))
    assert set(comparison.results.additional_properties) == {"jax", "tensorflow", "pytorch"}

    assert len(expect(FrameworksResponse, frameworks.sync(client=client)).frameworks) == 3
    assert expect(HealthResponse, healthz.sync(client=client)).status == "ok"
    assert len(expect(ReadyResponse, readyz.sync(client=client)).frameworks) == 3
    assert "triptych_requests" in expect(str, metrics.sync(client=client))
    assert expect(ReloadResponse, reload.sync(client=client)).reloaded.additional_properties

    problem = expect(Problem, reconstruct.sync(client=client, body=ReconstructRequest(images=images, seed=7), seed=8))
    assert problem.errors[0].where == "query.seed"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
