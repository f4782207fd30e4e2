"""The requests of the API and how their responses are read, for both clients. Sends nothing."""

import io
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import httpx
import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from numpy.typing import ArrayLike

from app.client.errors import ResponseError
from app.client.inputs import Body, ImageInput, encode_array, encode_images, read_npy

T = TypeVar("T")

_NPY = "application/x-npy"
_JSON = "application/json"


class Operation(NamedTuple, Generic[T]):
    """One request, and the function that turns its response into a value."""

    method: str
    path: str
    params: Mapping[str, str | int | bool]
    body: Body
    accept: str
    parse: Callable[[httpx.Response], T]

    def arguments(self, *, timeout_s: float) -> dict[str, Any]:
        """Return the arguments of httpx's `request`."""
        return {
            "method": self.method,
            "url": self.path,
            "params": self.params,
            "headers": {"Accept": self.accept, **self.body.headers},
            "content": self.body.content,
            "files": self.body.files,
            "timeout": None if math.isinf(timeout_s) else timeout_s,
        }


class CheckpointOptions(TypedDict, total=False):
    """Which checkpoint each framework loads."""

    model: str | None
    """Name of the model; None for the client's default."""

    weights: str | None
    """Framework whose checkpoint of that name is loaded; None for the client's default."""

    epoch: int | None
    """Epoch of training whose snapshot is loaded; None for the client's default."""


class ModelOptions(CheckpointOptions, total=False):
    """Model of a call."""

    framework: str | None
    """Framework that computes; None for the client's default."""


class Posterior(NamedTuple):
    """q(z|x) of each image."""

    mean: Float32[ndarray, "batch latent"]
    logvar: Float32[ndarray, "batch latent"]


class Score(NamedTuple):
    """Figures of each image, in nats but for the bits per pixel."""

    elbo: Float32[ndarray, "batch"]
    log_likelihood: Float32[ndarray, "batch"]
    kl_divergence: Float32[ndarray, "batch"]
    kl_per_dimension: Float32[ndarray, "batch latent"]
    bits_per_pixel: Float32[ndarray, "batch"]
    iwae: Float32[ndarray, "batch"] | None = None
    """Importance-weighted lower bound on log p(x); None for one sample."""

    iwae_standard_error: Float32[ndarray, "batch"] | None = None
    """Too small where `effective_samples` is below about 50."""

    effective_samples: Float32[ndarray, "batch"] | None = None
    """Effective sample size of the bound, from 1 to the number of samples; None for one sample."""


class Comparison(NamedTuple):
    """The same images and noise through every loaded framework."""

    probs: dict[str, Float32[ndarray, "batch height width"]]
    elbo: dict[str, Float32[ndarray, "batch"]]
    model_ms: dict[str, float]
    max_abs_difference: dict[str, float]
    unavailable: dict[str, str]
    seed: int


def reconstruct(images: ImageInput, *, output: str, **options: Any) -> Operation[Float32[ndarray, "..."]]:
    """Return the request of `POST /reconstruct`, for one of its arrays."""
    return _post("/reconstruct", encode_images(images), {"output": output, **options}, _NPY, parse_npy)


def encode(images: ImageInput, **options: Any) -> Operation[Posterior]:
    """Return the request of `POST /encode`."""
    return _post("/encode", encode_images(images), options, _JSON, _parse_json(partial(_read, Posterior)))


def decode(latents: ArrayLike, **options: Any) -> Operation[Float32[ndarray, "batch height width"]]:
    """Return the request of `POST /decode`."""
    return _post("/decode", encode_array(latents), options, _NPY, parse_npy)


def sample(n: int, *, output: str, **options: Any) -> Operation[Float32[ndarray, "..."]]:
    """Return the request of `GET /sample`."""
    return Operation("GET", "/sample", _without_none({"n": n, "output": output, **options}), Body(), _NPY, parse_npy)


def score(images: ImageInput, **options: Any) -> Operation[Score]:
    """Return the request of `POST /score`."""
    return _post("/score", encode_images(images), options, _JSON, _parse_json(partial(_read, Score)))


def interpolate(ends: Body, **options: Any) -> Operation[Float32[ndarray, "steps height width"]]:
    """Return the request of `POST /interpolate`."""
    return _post("/interpolate", ends, options, _NPY, parse_npy)


def compare(images: ImageInput, **options: Any) -> Operation[Comparison]:
    """Return the request of `POST /compare`."""
    return _post("/compare", encode_images(images), options, _JSON, _parse_json(_read_comparison))


def get_json(path: str) -> Operation[dict[str, Any]]:
    """Return the request of a status route."""
    return Operation("GET", path, {}, Body(), _JSON, _parse_json(lambda members: members))


def latent_ends(latents: ArrayLike) -> Body:
    """Return a JSON body with two latents; an array alone would be taken for images."""
    rows = np.asarray(latents, np.float32).tolist()
    return Body(content=json.dumps({"latents": rows}).encode(), headers={"Content-Type": _JSON})


def parse_npy(response: httpx.Response) -> ndarray:
    """Return the array of an npy response.

    Raises:
        ResponseError: It is something else, for the address isn't the service's, or is cut short.
    """
    if (content_type := response.headers.get("Content-Type", "")) != _NPY:
        detail = f"the response is {content_type or 'of no type'}, not {_NPY}: is this the address of the service?"
        raise ResponseError(response.status_code, {"detail": detail})
    try:
        return read_npy(io.BytesIO(response.content), name="the response")
    except ValueError as error:
        raise ResponseError(response.status_code, {"detail": str(error)}) from error


def _parse_json(read: Callable[[Any], T]) -> Callable[[httpx.Response], T]:
    """Return the function that reads a JSON response; other JSON than the route's is a `ResponseError`."""

    def parse(response: httpx.Response) -> T:
        try:
            return read(json.loads(response.content))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            detail = "the response isn't that of this route: is this the address of the service?"
            raise ResponseError(response.status_code, {"detail": detail}) from error

    return parse


def _post(
    path: str, body: Body, options: Mapping[str, Any], accept: str, parse: Callable[[httpx.Response], T]
) -> Operation[T]:
    return Operation("POST", path, _without_none(options), body, accept, parse)


def _without_none(options: Mapping[str, Any]) -> dict[str, str | int | bool]:
    return {name: value for name, value in options.items() if value is not None}


def _read(kind: Callable[..., T], members: Mapping[str, Any]) -> T:
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]  # all results are named tuples
    return kind(**{name: _array(members[name]) for name in fields if name in members})


def _read_comparison(members: Mapping[str, Any]) -> Comparison:
    results = members["results"]
    return Comparison(
        probs={framework: _array(result["probs"]) for framework, result in results.items()},
        elbo={framework: _array(result["elbo"]) for framework, result in results.items()},
        model_ms=members["model_ms"],
        max_abs_difference=members["max_abs_difference"],
        unavailable=members["unavailable"],
        seed=members["seed"],
    )


def _array(values: Any) -> Any:
    return None if values is None else np.asarray(values, np.float32)
