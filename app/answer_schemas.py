"""What the JSON answers hold, for `/openapi.json`; the arrays of model routes are written by the codecs."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Vectors = Annotated[list[list[float]], Field(description="One row of `latent_dim` numbers for each image.")]
Pictures = Annotated[
    list[list[list[float]]], Field(description="Probability of each pixel, in [0, 1], row by row, for each image.")
]


class Provenance(BaseModel):
    """Where an answer comes from; headers `X-Triptych-...` say the same."""

    framework: Annotated[str, Field(description="The framework that computed.")]
    framework_version: Annotated[str, Field(description="Its version.")]
    device: Annotated[str, Field(description="Where it computed: cpu or cuda.")]
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")]
    seed: Annotated[int | None, Field(description="Seed of the noise; null where none was drawn.")]


class ReconstructAnswer(Provenance):
    """Answer of `/reconstruct`."""

    probs: Pictures
    mean: Vectors
    logvar: Vectors
    elbo: Annotated[list[float], Field(description="log_likelihood - kl_divergence of each image, in nats.")]
    log_likelihood: Annotated[list[float], Field(description="log p(x|z) of each image for the drawn z, in nats.")]
    kl_divergence: Annotated[list[float], Field(description="KL(q(z|x) || N(0, I)) of each image, in nats.")]


class EncodeAnswer(Provenance):
    """Answer of `/encode`."""

    mean: Vectors
    logvar: Vectors
    latents: Annotated[list[list[float]] | None, Field(description="Draws from q(z|x); only with `sample=true`.")] = (
        None
    )


class DecodeAnswer(Provenance):
    """Answer of `/decode`."""

    probs: Pictures


class SampleAnswer(Provenance):
    """Answer of `/sample`."""

    probs: Pictures
    latents: Vectors


class ScoreAnswer(Provenance):
    """Answer of `/score`."""

    elbo: Annotated[list[float], Field(description="log_likelihood - kl_divergence of each image, in nats.")]
    log_likelihood: Annotated[list[float], Field(description="Mean of log p(x|z) over the samples, in nats.")]
    kl_divergence: Annotated[list[float], Field(description="KL(q(z|x) || N(0, I)) of each image, in nats.")]
    kl_per_dimension: Annotated[list[list[float]], Field(description="The same of each latent, which it sums.")]
    bits_per_pixel: Annotated[list[float], Field(description="-elbo in bits, a pixel.")]
    iwae: Annotated[
        list[float] | None,
        Field(description="Importance-weighted bound on log p(x) of each image, in nats; from two samples."),
    ] = None
    iwae_standard_error: Annotated[
        list[float] | None, Field(description="Its standard error, from the spread of the samples.")
    ] = None


class InterpolateAnswer(Provenance):
    """Answer of `/interpolate`: a row for each step."""

    probs: Pictures
    latents: Vectors


class CompareAnswer(BaseModel):
    """Answer of `/compare`."""

    results: Annotated[dict[str, ReconstructAnswer], Field(description="What `/reconstruct` answers, by framework.")]
    model_ms: Annotated[dict[str, float], Field(description="Milliseconds that each framework computed.")]
    max_abs_difference: Annotated[
        dict[str, float], Field(description="The largest difference of `probs`, by pair, such as `jax-pytorch`.")
    ]
    unavailable: Annotated[dict[str, str], Field(description="Why a framework isn't among the results.")]
    seed: Annotated[int, Field(description="Seed of the noise, the same for all.")]


class FrameworkView(BaseModel):
    """A framework, and how far it has come."""

    framework: str
    status: Annotated[str, Field(description="loading, ready, failed or not_installed.")]
    ready: bool
    reason: Annotated[str | None, Field(description="Why it isn't ready and what to do; null when it is.")] = None
    framework_version: str | None = None
    device: Annotated[str | None, Field(description="Where it computes: cpu or cuda.")] = None
    threads: Annotated[int | None, Field(description="Most threads that a batch is computed with on a CPU.")] = None
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of its SHA-256.")] = None
    model: Annotated[dict[str, Any] | None, Field(description="image_shape, hidden_dim, latent_dim.")] = None
    training: Annotated[dict[str, Any] | None, Field(description="How the checkpoint was trained.")] = None
    metrics: Annotated[dict[str, Any] | None, Field(description="What was measured then; nats and seconds.")] = None
    load_seconds: Annotated[float | None, Field(description="From the start of loading to being warm.")] = None


class FrameworksAnswer(BaseModel):
    """Answer of `/frameworks`."""

    default: Annotated[str, Field(description="The framework that answers where a request names none.")]
    frameworks: list[FrameworkView]


class HealthAnswer(BaseModel):
    """Answer of `/healthz`."""

    status: Literal["ok"]


class ReadyAnswer(BaseModel):
    """Answer of `/readyz`."""

    status: Literal["ready"]
    frameworks: Annotated[list[str], Field(description="The frameworks that are ready.")]


class ReloadAnswer(BaseModel):
    """Answer of `/admin/reload`."""

    reloaded: Annotated[dict[str, str], Field(description="What is served now, by framework.")]


class WrongValue(BaseModel):
    """One wrong value of a request."""

    where: Annotated[str, Field(description="Its path, such as `query.seed` or `body.images[3]`.")]
    why: Annotated[str, Field(description="What was wrong and what was expected.")]


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Field(description="The status in words.")]
    status: int
    detail: Annotated[str, Field(description="What was wrong, what was expected, what to do.")]
    errors: Annotated[list[WrongValue], Field(description="Wrong values, where there are some.")]
    request_id: Annotated[str, Field(description="The request's id, as in the header `X-Request-ID`.")]
