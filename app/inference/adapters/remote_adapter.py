"""The adapter of a model on another server of the Open Inference Protocol, by HTTP with binary tensors."""

import json
import threading
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import urllib3
from jaxtyping import Float32
from numpy import ndarray
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from app.exceptions import OverloadedError
from app.inference.adapters.base import Adapter, AdapterError
from training.checkpoints.model_files import DEFAULT_NAME
from training.config import ModelConfig
from training.errors import ConfigError

_HEADER_LENGTH: Final = "Inference-Header-Content-Length"

_CONNECT_TIMEOUT_S: Final = 5.0

_TRACE_HEADERS: Final = frozenset({b"traceparent", b"tracestate", b"baggage", b"x-request-id"})
"""W3C Trace Context and Baggage, and the ID in the logs of both servers."""

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
        lanes: int = 1,
    ) -> None:
        """Connect, read the model's shapes, and compute one black image.

        Args:
            url: Address of the backend, such as http://host:8000.
            framework: Canonical name; the backend's models are `{framework}-encode`, `-decode` and `-vae`.
            name: Name of the model; unless it is the default, the backend's end with it.
            timeout_s: Longest wait for a response; None waits for ever.
            key: API key, if the backend requires one.
            lanes: Calls at once, each on a connection that is kept.

        Raises:
            AdapterError: The backend can't be reached, or doesn't serve the models.
        """
        self.framework = framework
        self._suffix = "" if name == DEFAULT_NAME else f"-{name}"
        self._url = url.rstrip("/")
        self._headers = {"X-API-Key": key} if key else {}
        self._trace = threading.local()
        # Pure functions: a request may be sent again, but by us alone, never after a timeout.
        self._pool = urllib3.PoolManager(
            maxsize=lanes, retries=False, timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=timeout_s)
        )
        self.model = self._read_model()
        origin = self._infer("vae", {"images": self._black_image(), "eps": np.zeros((1, self.model.latent_dim))})[1]
        self.framework_version = str(origin.get("framework_version", "unknown"))
        self.device = str(origin.get("device", "remote"))
        self.checkpoint_id: str | None = origin.get("checkpoint")

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
        self._trace.headers = {name.decode(): value for name, value in headers if name in _TRACE_HEADERS}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _as_images(self, images: Float32[ndarray, "batch pixels"]) -> Float32[ndarray, "batch height width"]:
        return images.reshape(-1, *self.model.image_shape)

    def _black_image(self) -> Float32[ndarray, "1 height width"]:
        return np.zeros((1, *self.model.image_shape), np.float32)

    def _call(self, task: str, **inputs: ndarray) -> list[ndarray]:
        arrays, origin = self._infer(task, inputs)
        if origin.get("checkpoint") != self.checkpoint_id:
            raise AdapterError(f"its backend has changed to checkpoint {origin.get('checkpoint')}")
        rows = len(next(iter(inputs.values())))
        for name, array in zip(_OUTPUTS[task], arrays, strict=True):
            expected = (rows, *(self.model.image_shape if name == "logits" else (self.model.latent_dim,)))
            if array.shape != expected:
                raise AdapterError(f"its backend sent {name} of shape {array.shape}, not {expected}")
        return arrays

    def _infer(self, task: str, inputs: dict[str, ndarray]) -> tuple[list[ndarray], dict[str, Any]]:
        """Return a model's outputs and the parameters of its response."""
        wire = {name: np.ascontiguousarray(array, "<f4") for name, array in inputs.items()}
        message = {
            "inputs": [
                {
                    "name": name,
                    "shape": array.shape,
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": array.nbytes},
                }
                for name, array in wire.items()
            ],
            "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in _OUTPUTS[task]],
        }
        head = json.dumps(message, separators=(",", ":")).encode()
        response = self._request(
            "POST",
            f"/v2/models/{self.framework}-{task}{self._suffix}/infer",
            body=b"".join([head, *(array.data for array in wire.values())]),
            headers={
                **getattr(self._trace, "headers", {}),
                **self._headers,
                "Content-Type": "application/octet-stream",
                _HEADER_LENGTH: str(len(head)),
            },
        )
        try:
            return _parse(response, _OUTPUTS[task])
        except (KeyError, ValueError, TypeError) as error:
            raise AdapterError(f"its backend sent a response that can't be read ({type(error).__name__})") from error

    def _read_model(self) -> ModelConfig:
        response = self._request("GET", f"/v2/models/{self.framework}-vae{self._suffix}", headers=self._headers)
        try:
            shapes = {tensor["name"]: tensor["shape"] for tensor in json.loads(response.data)["inputs"]}
            (_, height, width), (_, latent_dim) = shapes["images"], shapes["eps"]
            return ModelConfig(image_shape=(height, width), latent_dim=latent_dim)
        except (KeyError, ValueError, TypeError, ConfigError) as error:
            raise AdapterError(f"its backend describes {self.framework}-vae in another way ({error})") from error

    def _request(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            try:
                response = self._pool.request(method, self._url + path, **options)
            except (NewConnectionError, ProtocolError):  # refused, or a kept connection that was closed meanwhile
                response = self._pool.request(method, self._url + path, **options)
        except PoolTimeoutError as error:
            raise AdapterError("its backend didn't respond in time") from error
        except HTTPError as error:
            raise AdapterError(f"its backend can't be reached ({type(error).__name__})") from error
        if response.status == 429:
            seconds = response.headers.get("Retry-After", "1")
            raise OverloadedError(
                f"the backend of {self.framework} has a full queue: send this again in {seconds} s",
                retry_after_s=int(seconds) if seconds.isdecimal() else 1,
            )
        if response.status != 200:
            raise AdapterError(f"its backend responded with {response.status}: {_error_of(response)}")
        return response


def _parse(response: urllib3.BaseHTTPResponse, names: tuple[str, ...]) -> tuple[list[ndarray], dict[str, Any]]:
    content = memoryview(response.data)
    length = int(response.headers[_HEADER_LENGTH])
    message = json.loads(bytes(content[:length]))
    arrays: dict[str, ndarray] = {}
    offset = length
    for output in message["outputs"]:
        nbytes = output["parameters"]["binary_data_size"]
        # The offset is as odd as the text is long; a copy is aligned.
        values = np.frombuffer(bytes(content[offset : offset + nbytes]), "<f4")
        arrays[output["name"]] = values.reshape(output["shape"])
        offset += nbytes
    return [arrays[name] for name in names], message.get("parameters", {})


def _error_of(response: urllib3.BaseHTTPResponse) -> str:
    try:
        return str(json.loads(response.data)["error"])[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
