"""Pydantic models of the JSON responses, for `/openapi.json`. The arrays of model routes are written by the codecs."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

Vectors = Annotated[list[list[float]], Field(description="One row of `latent_dim` numbers for each image.")]
ImageArrays = Annotated[
    list[list[list[float]]], Field(description="Probability of each pixel, in [0, 1], row by row, for each image.")
]


def _drop_default(schema: dict[str, Any]) -> None:
    # Absent, not null, by default; pydantic would document null.
    del schema["default"]


class Provenance(BaseModel):
    """Origin of a response; the headers `X-Triptych-...` repeat it."""

    framework: Annotated[str, Field(description="Framework that computed the response.")]
    model: Annotated[str, Field(description="Name of the model.")]
    weights: Annotated[str, Field(description="Framework whose checkpoint was loaded.")]
    framework_version: Annotated[str, Field(description="Version of the framework.")]
    device: Annotated[str, Field(description="Device of the computation: cpu or cuda.")]
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")]
    epoch: Annotated[
        int | SkipJsonSchema[None],
        Field(description="Epoch of the snapshot; only with `epoch`.", json_schema_extra=_drop_default),
    ] = None
    seed: Annotated[int | None, Field(description="Seed of the noise; null if none was drawn.")]


class ReconstructResponse(Provenance):
    """Response of `/reconstruct`."""

    probs: ImageArrays
    mean: Vectors
    logvar: Vectors
    elbo: Annotated[list[float], Field(description="log_likelihood - kl_divergence of each image, in nats.")]
    log_likelihood: Annotated[list[float], Field(description="log p(x|z) of each image for the drawn z, in nats.")]
    kl_divergence: Annotated[list[float], Field(description="KL(q(z|x) || N(0, I)) of each image, in nats.")]


class EncodeResponse(Provenance):
    """Response of `/encode`."""

    mean: Vectors
    logvar: Vectors
    latents: Annotated[
        list[list[float]] | SkipJsonSchema[None],
        Field(description="Samples of q(z|x); only with `sample=true`.", json_schema_extra=_drop_default),
    ] = None


class DecodeResponse(Provenance):
    """Response of `/decode`."""

    probs: ImageArrays


class SampleResponse(Provenance):
    """Response of `/sample`."""

    probs: ImageArrays
    latents: Vectors


class ScoreResponse(Provenance):
    """Response of `/score`."""

    elbo: Annotated[list[float], Field(description="log_likelihood - kl_divergence of each image, in nats.")]
    log_likelihood: Annotated[list[float], Field(description="Mean of log p(x|z) over the samples, in nats.")]
    kl_divergence: Annotated[list[float], Field(description="KL(q(z|x) || N(0, I)) of each image, in nats.")]
    kl_per_dimension: Annotated[
        list[list[float]], Field(description="KL divergence of each latent dimension; `kl_divergence` is the sum.")
    ]
    bits_per_pixel: Annotated[list[float], Field(description="-elbo in bits per pixel.")]
    iwae: Annotated[
        list[float] | SkipJsonSchema[None],
        Field(
            description="Importance-weighted lower bound on log p(x) of each image, in nats, tighter the more "
            "`samples`; so -iwae is an upper bound of -log p(x), on average. Only from two `samples`.",
            json_schema_extra=_drop_default,
        ),
    ] = None
    iwae_standard_error: Annotated[
        list[float] | SkipJsonSchema[None],
        Field(
            description="Standard error of `iwae`, from the spread of the samples; only from two `samples`. Do not "
            "trust it where `effective_samples` is below about 50: it is then too small, and never exceeds 1. "
            "It doesn't include the distance of the bound from log p(x).",
            json_schema_extra=_drop_default,
        ),
    ] = None
    effective_samples: Annotated[
        list[float] | SkipJsonSchema[None],
        Field(
            description="Effective sample size of `iwae` of each image, from 1 to `samples`: the squared sum of the "
            "importance weights over the sum of their squares. Only from two `samples`.",
            json_schema_extra=_drop_default,
        ),
    ] = None


class InterpolateResponse(Provenance):
    """Response of `/interpolate`: a row for each step."""

    probs: ImageArrays
    latents: Vectors


class CompareResponse(BaseModel):
    """Response of `/compare`."""

    results: Annotated[
        dict[str, ReconstructResponse], Field(description="The response of `/reconstruct`, by framework.")
    ]
    model_ms: Annotated[dict[str, float], Field(description="Compute time of each framework, in milliseconds.")]
    max_abs_difference: Annotated[
        dict[str, float],
        Field(description="Largest difference between the `probs` of two frameworks, by pair, such as `jax-pytorch`."),
    ]
    unavailable: Annotated[dict[str, str], Field(description="Reason, by framework that is missing from the results.")]
    seed: Annotated[int, Field(description="Seed of the noise, shared by all frameworks.")]


class FrameworkStatus(BaseModel):
    """State of one framework: loaded checkpoint, or why it is not ready."""

    framework: str
    title: Annotated[str, Field(description="Its name in prose.")]
    color: Annotated[str, Field(description="Its color in figures, `#rrggbb`.")]
    marker: Annotated[str, Field(description="Its marker in figures: o circle, s square, ^ triangle, D diamond.")]
    status: Annotated[str, Field(description="loading, ready, failed or not_installed.")]
    ready: bool
    reason: Annotated[str | None, Field(description="Why it is not ready, and what to do; null if it is ready.")] = None
    framework_version: str | None = None
    device: Annotated[str | None, Field(description="Device of the computation: cpu or cuda.")] = None
    device_name: Annotated[str | None, Field(description="Name of the GPU, such as NVIDIA H200; null on a CPU.")] = None
    device_memory_bytes: Annotated[
        int | None, Field(description="Memory of the GPU that the framework may use; null if unknown, and on a CPU.")
    ] = None
    max_batch: Annotated[
        int | None, Field(description="Maximum images of a batch, joined from requests; found at the start on a GPU.")
    ] = None
    threads: Annotated[int | None, Field(description="Maximum number of CPU threads that compute a batch.")] = None
    pid: Annotated[int | None, Field(description="Process ID of the process that computes.")] = None
    restarts: Annotated[int, Field(description="Loads after a failure, in the process that responds.")] = 0
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")] = (
        None
    )
    model: Annotated[
        dict[str, Any] | None,
        Field(description="image_shape, latent_dim, and hidden_dim unless another server computes."),
    ] = None
    training: Annotated[dict[str, Any] | None, Field(description="Training options of the checkpoint.")] = None
    metrics: Annotated[
        dict[str, Any] | None, Field(description="Metrics recorded during training, in nats and seconds.")
    ] = None
    load_seconds: Annotated[
        float | None, Field(description="Seconds from the start of loading until warm-up was complete.")
    ] = None


class FrameworksResponse(BaseModel):
    """Response of `/frameworks`."""

    default: Annotated[str, Field(description="Framework of requests that name none.")]
    frameworks: list[FrameworkStatus]


class SnapshotStatus(BaseModel):
    """Weights that a run had after an epoch."""

    epoch: Annotated[int, Field(description="Epoch, for the parameter `epoch`; 0 is before the first.")]
    validation_elbo: Annotated[float, Field(description="Mean ELBO of the validation images, in nats.")]


class ModelStatus(BaseModel):
    """A model of one framework: its checkpoint, and whether it is loaded."""

    framework: Annotated[str, Field(description="Framework that computes with it.")]
    name: Annotated[str, Field(description="Name of the model, for the parameter `model`.")]
    state: Annotated[str, Field(description="available (loaded at its first request), loading, ready, failed, ...")]
    ready: Annotated[bool, Field(description="Whether it is loaded.")]
    reason: Annotated[str | None, Field(description="Why it isn't loaded, and what to do.")] = None
    checkpoint: Annotated[str | None, Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")] = (
        None
    )
    image_shape: Annotated[list[int] | None, Field(description="Height and width of its images.")] = None
    hidden_dim: Annotated[int | None, Field(description="Units of each hidden layer.")] = None
    latent_dim: Annotated[int | None, Field(description="Number of latents.")] = None
    dataset: Annotated[str | None, Field(description="Name of the data set that it was trained on.")] = None
    metrics: Annotated[dict[str, Any] | None, Field(description="Figures of its training, in nats and seconds.")] = None
    companion: Annotated[bool, Field(description="Whether it has a companion file, with examples and a map.")] = False
    snapshots: Annotated[list[SnapshotStatus], Field(description="Snapshots of its run, the earliest first.")] = []


class ModelsResponse(BaseModel):
    """All models of all frameworks."""

    default_framework: Annotated[str, Field(description="Framework used if a request names none.")]
    default_model: Annotated[str, Field(description="Model used if a request names none.")]
    models: list[ModelStatus]


class HealthResponse(BaseModel):
    """Response of `/healthz`."""

    status: Literal["ok"]


class ReadyResponse(BaseModel):
    """Response of `/readyz`."""

    status: Literal["ready"]
    frameworks: Annotated[list[str], Field(description="Frameworks that are ready.")]


class ReloadResponse(BaseModel):
    """Response of `/admin/reload`."""

    reloaded: Annotated[dict[str, str], Field(description="Result of the reload, by model.")]


class InvalidField(BaseModel):
    """One invalid value of a request."""

    where: Annotated[str, Field(description="Path of the value, such as `query.seed` or `body.images[3]`.")]
    why: Annotated[str, Field(description="The fault, and the expected value.")]


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Field(description="Phrase of the status.")]
    status: int
    detail: Annotated[str, Field(description="The fault, the expected value, and what to do.")]
    errors: Annotated[list[InvalidField], Field(description="Invalid values, if the fault is in values.")]
    request_id: Annotated[str, Field(description="ID of the request, as in the header `X-Request-ID`.")]
