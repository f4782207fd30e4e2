"""A request of each kind that the service answers, and how two answers to one are compared. Sends nothing."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image

from benchmarks.serving.cases import digits, dump_npy
from training.frameworks import FRAMEWORKS

TOLERANCE: Final = 1e-5
"""Of two answers to one request, whatever shared its batch; relative where a number is above 1."""

VOLATILE: Final = ("model_ms",)
"""Members of an answer that are never twice the same."""

SEED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request that always has the same answer."""

    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Sent by POST; without one the method is GET."""

    weight: float = 1.0
    """How often it is sent, beside the others."""

    is_compared: bool = True
    """Whether its answers are alike; of others, only the status counts."""

    def __str__(self) -> str:
        """Return what tells it from the others."""
        return f"{self.path} {' '.join(f'{name}={value}' for name, value in self.query.items())}".strip()

    def build(self, client: httpx.AsyncClient) -> httpx.Request:
        """Return the request."""
        method = "POST" if self.body else "GET"
        return client.build_request(
            method, self.path, params=dict(self.query), headers=dict(self.headers), content=self.body
        )


def exchanges() -> list[Exchange]:
    """Return the requests, for each framework those of its own."""
    found = [
        Exchange(path="/healthz"),
        Exchange(path="/readyz"),
        Exchange(path="/frameworks"),
        Exchange(path="/metrics", is_compared=False),
        Exchange(path="/openapi.json", weight=0.1),
        _json("/compare", {"images": digits(2).tolist()}, {"seed": SEED}),
    ]
    for framework in FRAMEWORKS:
        named: dict[str, str | int] = {"framework": framework, "seed": SEED}
        images, latents = digits(2).tolist(), np.linspace(-2, 2, 60, dtype=np.float32).reshape(3, 20).tolist()
        found += [
            _npy("/reconstruct", 1, named, weight=8),
            _npy("/reconstruct", 64, named),
            _npy("/reconstruct", 1024, named, weight=0.1),
            _json("/reconstruct", {"images": images}, named, weight=4),
            Exchange(path="/reconstruct", query=named, headers={"Content-Type": "image/png"}, body=_picture()),
            _npy("/encode", 3, named | {"sample": "true", "format": "json"}),
            _json("/decode", {"latents": latents}, {"framework": framework}),
            Exchange(path="/sample", query={"n": 4, "format": "npy", **named}),
            Exchange(path="/sample", query={"n": 4, "format": "png", **named}),
            _json("/score", {"images": images}, named | {"samples": 50}),
            _json("/interpolate", {"images": images}, {"framework": framework, "steps": 5}),
        ]
    return found


def read_answer(answer: httpx.Response) -> Any:
    """Return what the answer says: values of JSON, an array, or pixels in steps of the tolerance."""
    match answer.headers["Content-Type"].partition(";")[0]:
        case "application/json":
            return answer.json()
        case "application/x-npy":
            return np.load(io.BytesIO(answer.content))
        case "image/png":
            # A probability between two grays may become either.
            return np.asarray(Image.open(io.BytesIO(answer.content))) * TOLERANCE
        case _:
            return answer.text


def find_difference(expected: Any, found: Any, where: str = "answer") -> str | None:
    """Return where and how an answer isn't the expected one; None where it is."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        inner = [(expected[name], found[name], f"{where}.{name}") for name in expected if name not in VOLATILE]
        return next(filter(None, (find_difference(*each) for each in inner)), None)
    if _is_numeric(expected) and _is_numeric(found):
        old, new = np.asarray(expected, np.float64), np.asarray(found, np.float64)
        if old.shape != new.shape:
            return f"{where} has shape {new.shape} instead of {old.shape}"
        if not np.allclose(old, new, rtol=TOLERANCE, atol=TOLERANCE):
            return f"{where} differs by {np.abs(old - new).max():.1g}"
        return None
    return None if expected == found else f"{where} is {str(found)[:80]!r} instead of {str(expected)[:80]!r}"


def _is_numeric(value: Any) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float, np.ndarray)) and not isinstance(value, bool)


def _npy(path: str, count: int, query: Mapping[str, str | int], *, weight: float = 1.0) -> Exchange:
    headers = {"Content-Type": "application/x-npy"} | ({} if "format" in query else {"Accept": "application/x-npy"})
    return Exchange(path=path, query=query, headers=headers, body=dump_npy(digits(count)), weight=weight)


def _json(path: str, members: Mapping[str, Any], query: Mapping[str, str | int], *, weight: float = 1.0) -> Exchange:
    headers = {"Content-Type": "application/json"}
    return Exchange(path=path, query=query, headers=headers, body=json.dumps(members).encode(), weight=weight)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray((digits(1).reshape(28, 28) * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
