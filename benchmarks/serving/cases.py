"""The measured requests, and the check of their responses against the same model in NumPy."""

import functools
import io
import json
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np

from app.settings import CHECKPOINTS
from benchmarks.serving.wrk import Request, run_wrk
from training import numpy_model
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import ModelFile
from training.counts import count_of
from training.data import load_dataset
from training.frameworks import FRAMEWORKS

MEDIA_TYPES: Final = {"npy": "application/x-npy", "JSON": "application/json"}

TOLERANCE: Final = 1e-4
"""Tolerance between probabilities of the frameworks and of NumPy, which sums in a different order."""


@dataclass(frozen=True, slots=True)
class Case:
    """A reconstruction by one framework, with body and response of the same kind."""

    kind: str
    """Kind of body and response: npy or JSON."""

    framework: str
    count: int = 1
    """Images per request."""

    def __str__(self) -> str:
        """Return the name that `--only` is matched against."""
        images = count_of(self.count, "image", ",")
        return f"{self.kind} {self.framework} {images}"

    def request(self, url: str) -> Request:
        """Return the request to the service at that address."""
        media_type = MEDIA_TYPES[self.kind]
        images = digits(self.count)
        body = dump_npy(images) if self.kind == "npy" else json.dumps({"images": images.tolist()}).encode()
        headers = {"Content-Type": media_type, "Accept": media_type}
        return Request(f"{url}/reconstruct?framework={self.framework}", headers, body)

    def highest(self, url: str, *, core: int, seconds: int) -> float:
        """Return the responses per second on 64 connections, with the client on that core."""
        return run_wrk(self.request(url), core=core, connections=64, seconds=seconds).requests_per_s

    def check(self, url: str) -> None:
        """Send the request once.

        Raises:
            SystemExit: The response differs from the model's result in NumPy with the response's seed.
        """
        request = self.request(url)
        answer = httpx.post(request.url, headers=dict(request.headers), content=request.body, timeout=60)
        if answer.status_code != 200:
            raise SystemExit(f"{self}: {answer.status_code} instead of an answer: {answer.text[:200]}")
        probs = np.load(io.BytesIO(answer.content)) if self.kind == "npy" else np.array(answer.json()["probs"])
        expected = reconstruct(self.framework, digits(self.count), seed=int(answer.headers["X-Triptych-Seed"]))
        difference = np.abs(probs.reshape(expected.shape) - expected).max()
        if not difference < TOLERANCE:
            raise SystemExit(f"{self}: the answer is wrong, by up to {difference:.1g}")


SINGLE_IMAGES: Final = tuple(
    Case(kind, framework) for kind in MEDIA_TYPES for framework in sorted(FRAMEWORKS, key=lambda f: f != "pytorch")
)
"""One image per request; PyTorch first, because the other two are compared with it."""


@functools.cache
def digits(count: int) -> np.ndarray[Any, Any]:
    """Return the first MNIST test images, gray in [0, 1], as flat rows of float32."""
    return load_dataset("mnist").test[:count].astype(np.float32) / np.float32(255)


def dump_npy(images: np.ndarray[Any, Any]) -> bytes:
    """Return the array as the bytes of an npy file."""
    file = io.BytesIO()
    np.save(file, images)
    return file.getvalue()


def reconstruct(framework: str, images: np.ndarray[Any, Any], *, seed: int) -> np.ndarray[Any, Any]:
    """Return the probs of the framework's checkpoint in NumPy, with the noise that belongs to the seed."""
    weights = load_checkpoint(ModelFile(CHECKPOINTS, framework).path).weights
    mean, logvar = numpy_model.encode(weights, images)
    noise = np.random.Generator(np.random.Philox(key=seed)).standard_normal(mean.shape, dtype=np.float32)
    return numpy_model.sigmoid(numpy_model.decode(weights, mean + noise * np.exp(logvar / 2)))
