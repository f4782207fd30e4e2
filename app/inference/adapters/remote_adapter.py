"""The adapter of a model on another server of the Open Inference Protocol."""

import threading
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.errors import FrameworkUnavailableError, OverloadedError
from app.inference.adapters.base import MAX_BATCH, Adapter, AdapterError
from app.inference.adapters.remote_backend import UNREADABLE, RefusedError, RemoteBackend
from training.checkpoints.model_files import DEFAULT_NAME
from training.config import ModelConfig
from training.errors import ConfigError

_TRACE_HEADERS: Final = {b"traceparent": 256, b"tracestate": 512, b"baggage": 8000, b"x-request-id": 256}
"""W3C Trace Context and Baggage, and the ID in the logs of both servers; with the longest value that is sent on.

Longer ones may be dropped by the specifications, and a server in between may refuse the request for them.
"""

_BATCH_STATUSES: Final = frozenset({400, 413, 422, 431})
"""Statuses that may be due to one batch, and not to the backend."""

_RETRY_WHEN_REFUSED_S: Final = 60

_OUTPUTS: Final = {"encode": ("mean", "logvar"), "decode": ("logits",), "vae": ("logits", "mean", "logvar")}
"""The models that a backend must serve, as `{framework}-{task}`, and the outputs that are requested."""


class RemoteAdapter(Adapter):
    """A model served elsewhere; see `app.inference.adapters.base.Adapter`. Several threads may call it at once."""

    threads = 0  # of this process

    def __init__(  # noqa: PLR0913 -- all but the first by keyword
        self,
        url: str,
        *,
        framework: str,
        name: str = DEFAULT_NAME,
        timeout_s: float | None,
        key: str | None = None,
        concurrency: int = 1,
    ) -> None:
        """Connect, read the model's shapes, and compute one black image.

        Args:
            url: Address of the backend, such as http://host:8000.
            framework: Canonical name; the backend's models are `{framework}-encode`, `-decode` and `-vae`.
            name: Name of the model; unless it is the default, the backend's end with it.
            timeout_s: Longest wait for a response; None waits for ever.
            key: API key, if the backend requires one.
            concurrency: Calls at once, each on a connection that is kept.

        Raises:
            AdapterError: The backend can't be reached, or doesn't serve the models.
        """
        self.framework = framework
        self._suffix = "" if name == DEFAULT_NAME else f"-{name}"
        self._trace = threading.local()
        self._backend = RemoteBackend(url, framework=framework, key=key, timeout_s=timeout_s, concurrency=concurrency)
        self.model = self._read_model()
        self._max_batch = self._read_max_batch()
        origin = self._infer("vae", {"images": self._black_image(), "eps": np.zeros((1, self.model.latent_dim))})[1]
        self.framework_version = str(origin.get("framework_version", "unknown"))
        self.device = str(origin.get("device", "remote"))
        self.checkpoint_id: str | None = origin.get("checkpoint")
        if not isinstance(self.checkpoint_id, str | None):
            raise AdapterError("its backend sent a checkpoint ID that is no string")

    @property
    def max_batch(self) -> int:
        """Maximum rows of a batch: what the backend takes, if that is less than is joined here."""
        return self._max_batch

    @property
    def pid(self) -> None:
        """None: the model computes on another server."""

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self._call("encode", images=self._as_images(images))
        return mean, logvar

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        (logits,) = self._call("decode", latents=z)
        return logits.reshape(len(z), -1)

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits, mean, logvar = self._call("vae", images=self._as_images(images), eps=eps)
        return logits.reshape(len(images), -1), mean, logvar

    def count_compilations(self) -> int:
        """Return 0: what the backend compiles, it counts itself."""
        return 0

    def continue_trace(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send those of the headers that trace a request with the next calls of this thread."""
        self._trace.headers = {
            name.decode(): value for name, value in headers if len(value) <= _TRACE_HEADERS.get(name, -1)
        }

    def close(self) -> None:
        """Close the connections."""
        self._backend.close()

    def _as_images(self, images: Float32[ndarray, "batch pixels"]) -> Float32[ndarray, "batch height width"]:
        return images.reshape(-1, *self.model.image_shape)

    def _black_image(self) -> Float32[ndarray, "1 height width"]:
        return np.zeros((1, *self.model.image_shape), np.float32)

    def _call(self, task: str, **inputs: ndarray) -> list[ndarray]:
        try:
            arrays, origin = self._infer(task, inputs)
        except RefusedError as error:
            if error.status not in _BATCH_STATUSES or not self._can_compute():
                raise
            raise FrameworkUnavailableError(
                f"the backend of {self.framework} refused this request, but computes others: {error}",
                retry_after_s=_RETRY_WHEN_REFUSED_S,
            ) from error
        if origin.get("checkpoint") != self.checkpoint_id:
            raise AdapterError(f"its backend has changed to checkpoint {origin.get('checkpoint')}")
        rows = len(next(iter(inputs.values())))
        for name, array in zip(_OUTPUTS[task], arrays, strict=True):
            expected = (rows, *(self.model.image_shape if name == "logits" else (self.model.latent_dim,)))
            if array.shape != expected:
                raise AdapterError(f"its backend sent {name} of shape {array.shape}, not {expected}")
        return arrays

    def _can_compute(self) -> bool:
        """Return whether the backend still computes a black image with the same checkpoint."""
        self._trace.headers = {}
        eps = np.zeros((1, self.model.latent_dim), np.float32)
        try:
            origin = self._infer("vae", {"images": self._black_image(), "eps": eps})[1]
        except (AdapterError, OverloadedError):
            return False
        return bool(origin.get("checkpoint") == self.checkpoint_id)

    def _infer(self, task: str, inputs: dict[str, ndarray]) -> tuple[list[ndarray], dict[str, Any]]:
        """Return a model's outputs and the parameters of its response."""
        headers = getattr(self._trace, "headers", {})
        return self._backend.infer(self._name_of(task), inputs, _OUTPUTS[task], headers=headers)

    def _read_model(self) -> ModelConfig:
        try:
            metadata = self._backend.get_json(f"/v2/models/{self._name_of('vae')}")
            shapes = {tensor["name"]: tensor["shape"] for tensor in metadata["inputs"]}
            (_, height, width), (_, latent_dim) = shapes["images"], shapes["eps"]
            return ModelConfig(image_shape=(height, width), latent_dim=latent_dim)
        except (*UNREADABLE, ConfigError) as error:
            raise AdapterError(
                f"its backend doesn't describe {self._name_of('vae')} as a server of the Open Inference Protocol with "
                "this model would: check its address in TRIPTYCH_BACKENDS"
            ) from error

    def _read_max_batch(self) -> int:
        """Return the most rows of a batch, by the backend's `max_batch_size`, an extension of Triton's."""
        try:
            size = self._backend.get_json(f"/v2/models/{self._name_of('vae')}/config")["max_batch_size"]
        except (RefusedError, *UNREADABLE):
            return MAX_BATCH
        return min(MAX_BATCH, size) if type(size) is int and size > 0 else MAX_BATCH

    def _name_of(self, task: str) -> str:
        return f"{self.framework}-{task}{self._suffix}"
