"""The client: one method per route, NumPy in and out, retried within a deadline."""

import time
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx
from jaxtyping import Float32
from numpy import ndarray
from numpy.typing import ArrayLike

from app.client import operations
from app.client.inputs import ImageInput, encode_images
from app.client.operations import CheckpointOptions, Comparison, ModelOptions, Operation, Posterior, Score
from app.client.retry import Retries
from app.service_address import authorize

T = TypeVar("T")


class Client:
    """A client of a running service, with kept-alive connections; thread-safe.

    Every method raises a `ResponseError` for an error status and a `ConnectionFailedError` where no response arrives,
    after retrying 429, 503 and failed connections until the deadline.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        framework: str | None = None,
        model: str | None = None,
        weights: str | None = None,
        epoch: int | None = None,
        deadline_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: Address of the service, with its path prefix if it has one.
            api_key: Sent as a bearer token.
            framework: Framework that computes; default of every call; None leaves it to the service.
            model: Name of the model, likewise.
            weights: Framework whose checkpoint of that name is loaded, likewise; None is the computing framework's.
            epoch: Epoch of training whose snapshot is loaded, likewise; None is the checkpoint itself.
            deadline_s: Seconds for one call, all attempts together.
            transport: An httpx transport, such as one with other limits or a proxy.

        Raises:
            ValueError: The API key has characters that can't be sent.
        """
        self._http = httpx.Client(base_url=url, headers=authorize(api_key), transport=transport)
        self._model: ModelOptions = {"framework": framework, "model": model, "weights": weights, "epoch": epoch}
        self._deadline_s = deadline_s

    def reconstruct(
        self,
        images: ImageInput,
        *,
        seed: int | None = None,
        invert: bool | None = None,
        centre: bool | None = None,
        output: str = "probs",
        **model: Unpack[ModelOptions],
    ) -> Float32[ndarray, "..."]:
        """Return the reconstructions as probabilities (n, height, width), or another array of the route."""
        options = self._options(model, seed=seed, invert=invert, centre=centre)
        return self._run(operations.reconstruct(images, output=output, **options))

    def encode(
        self,
        images: ImageInput,
        *,
        invert: bool | None = None,
        centre: bool | None = None,
        **model: Unpack[ModelOptions],
    ) -> Posterior:
        """Return mean and logvar of q(z|x), (n, latent_dim) each."""
        return self._run(operations.encode(images, **self._options(model, invert=invert, centre=centre)))

    def decode(self, latents: ArrayLike, **model: Unpack[ModelOptions]) -> Float32[ndarray, "batch height width"]:
        """Return the probabilities of p(x|z) of latents (n, latent_dim)."""
        return self._run(operations.decode(latents, **self._options(model)))

    def sample(
        self, n: int = 1, *, seed: int | None = None, output: str = "probs", **model: Unpack[ModelOptions]
    ) -> Float32[ndarray, "..."]:
        """Return n images (n, height, width) decoded from latents of the prior; `output="latents"` returns those."""
        return self._run(operations.sample(n, output=output, **self._options(model, seed=seed)))

    def score(
        self,
        images: ImageInput,
        *,
        samples: int = 1,
        seed: int | None = None,
        invert: bool | None = None,
        centre: bool | None = None,
        **model: Unpack[ModelOptions],
    ) -> Score:
        """Return the ELBO of each image and its parts, and with several samples the importance-weighted bound."""
        options = self._options(model, seed=seed, invert=invert, centre=centre)
        return self._run(operations.score(images, samples=samples, **options))

    def interpolate(
        self,
        images: ImageInput | None = None,
        *,
        latents: ArrayLike | None = None,
        steps: int = 8,
        invert: bool | None = None,
        centre: bool | None = None,
        **model: Unpack[ModelOptions],
    ) -> Float32[ndarray, "steps height width"]:
        """Return the decoded straight line between two images, by their means, or between two latents.

        Raises:
            ValueError: Both are given, or neither.
        """
        if (images is None) == (latents is None):
            raise ValueError("pass two images, or latents=: one of them")
        options = self._options(model, steps=steps, invert=invert, centre=centre)
        ends = operations.latent_ends(latents) if latents is not None else encode_images(images)  # type: ignore[arg-type]
        return self._run(operations.interpolate(ends, **options))

    def compare(
        self,
        images: ImageInput,
        *,
        seed: int | None = None,
        invert: bool | None = None,
        centre: bool | None = None,
        **model: Unpack[CheckpointOptions],
    ) -> Comparison:
        """Return the same images and noise through every loaded framework, by its model of that name."""
        options = self._options(model, seed=seed, invert=invert, centre=centre) | {"framework": None}
        return self._run(operations.compare(images, **options))

    def frameworks(self) -> dict[str, Any]:
        """Return what `GET /frameworks` reports."""
        return self._run(operations.get_json("/frameworks"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, operation: Operation[T]) -> T:
        retries = Retries(self._deadline_s)
        while True:
            try:
                response = self._http.request(**operation.arguments(timeout_s=retries.remaining_s))
            except httpx.TransportError as error:
                pause_s = retries.pause_after(error)
            else:
                if response.is_success:
                    return operation.parse(response)
                pause_s = retries.pause_after(response)
            time.sleep(pause_s)

    def _options(self, model: ModelOptions | CheckpointOptions, **options: Any) -> dict[str, Any]:
        chosen = {name: value for name, value in model.items() if value is not None}
        return {**self._model, **chosen, **options}
