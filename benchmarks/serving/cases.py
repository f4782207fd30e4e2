"""The requests that are measured, and how their answers are checked: against the same model in NumPy."""

import functools
import io
import json
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np

from app.inference.loader import checkpoint_path
from app.settings import CHECKPOINTS
from benchmarks.serving.wrk import Request, run_wrk
from training import numpy_model
from training.checkpoint import load_checkpoint
from training.data import load_dataset
from training.frameworks import FRAMEWORKS

MEDIA_TYPES: Final = {"npy": "application/x-npy", "JSON": "application/json"}

TOLERANCE: Final = 1e-4
"""Between probabilities of the frameworks and of NumPy, whose sums are in another order."""


@dataclass(frozen=True, slots=True)
class Case:
    """Images in a body of one kind, to be reconstructed by one framework into an answer of the same kind."""

    kind: str
    """npy or JSON."""

    framework: str
    count: int = 1
    """Images of a request."""

    def __str__(self) -> str:
        """Return a name that `--only` is looked for in."""
        images = "1 image" if self.count == 1 else f"{self.count:,} images"
        return f"{self.kind} {self.framework} {images}"

    def request(self, url: str) -> Request:
        """Return the request to the service at that address."""
        media_type = MEDIA_TYPES[self.kind]
        images = digits(self.count)
        body = dump_npy(images) if self.kind == "npy" else json.dumps({"images": images.tolist()}).encode()
        headers = {"Content-Type": media_type, "Accept": media_type}
        return Request(f"{url}/reconstruct?framework={self.framework}", headers, body)

    def highest(self, url: str, *, core: int, seconds: float) -> float:
        """Return the requests a second that are answered on 64 connections, asked from that core."""
        return run_wrk(self.request(url), core=core, connections=64, seconds=seconds).requests_per_s

    def check(self, url: str) -> None:
        """Send the request once.

        Raises:
            SystemExit: The answer isn't what the model computes in NumPy with the answer's seed.
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
"""One image a request, PyTorch first: the other two are held against it."""


@functools.cache
def digits(count: int) -> np.ndarray[Any, Any]:
    """Return the first MNIST test images, gray in [0, 1], as flat rows of float32."""
    return load_dataset("mnist").test[:count].astype(np.float32) / np.float32(255)


def dump_npy(images: np.ndarray[Any, Any]) -> bytes:
    """Return the array as the bytes of a npy file."""
    file = io.BytesIO()
    np.save(file, images)
    return file.getvalue()


def reconstruct(framework: str, images: np.ndarray[Any, Any], *, seed: int) -> np.ndarray[Any, Any]:
    """Return the probs of the framework's checkpoint in NumPy, with the noise that belongs to the seed."""
    weights = load_checkpoint(checkpoint_path(CHECKPOINTS, framework)).weights
    mean, logvar = numpy_model.encode(weights, images)
    noise = np.random.Generator(np.random.Philox(key=seed)).standard_normal(mean.shape, dtype=np.float32)
    return numpy_model.sigmoid(numpy_model.decode(weights, mean + noise * np.exp(logvar / 2)))
