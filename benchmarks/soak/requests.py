"""A request of each kind, and the comparison of two responses to it. Sends nothing."""

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
"""Tolerance between two responses to one request in different batches; relative above 1."""

VOLATILE: Final = ("model_ms",)
"""Members of a response that differ each time."""

SEED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """A request with a deterministic response."""

    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Body to POST; empty to GET."""

    weight: float = 1.0
    """Relative frequency."""

    is_compared: bool = True
    """True if its responses are compared; otherwise only the status is checked."""

    def __str__(self) -> str:
        """Return a name that is unique among the requests."""
        return f"{self.path} {' '.join(f'{name}={value}' for name, value in self.query.items())}".strip()

    def build(self, client: httpx.AsyncClient) -> httpx.Request:
        """Return the request."""
        method = "POST" if self.body else "GET"
        return client.build_request(
            method, self.path, params=dict(self.query), headers=dict(self.headers), content=self.body
        )


def exchanges() -> list[RequestContext]:
    """Return the requests of all frameworks."""
    requests = [
        RequestContext(path="/healthz"),
        RequestContext(path="/readyz"),
        RequestContext(path="/frameworks", is_compared=False),  # a reload changes the time of loading
        RequestContext(path="/v2/health/ready"),
        RequestContext(path="/v2"),
        RequestContext(path="/metrics", is_compared=False),
        RequestContext(path="/openapi.json", weight=0.1),
        _json("/compare", {"images": digits(2).tolist()}, {"seed": SEED}),
    ]
    for framework in FRAMEWORKS:
        named: dict[str, str | int] = {"framework": framework, "seed": SEED}
        images, latents = digits(2).tolist(), np.linspace(-2, 2, 60, dtype=np.float32).reshape(3, 20).tolist()
        requests += [
            _npy("/reconstruct", 1, named, weight=8),
            _npy("/reconstruct", 64, named),
            _npy("/reconstruct", 1024, named, weight=0.1),
            _json("/reconstruct", {"images": images}, named, weight=4),
            RequestContext(path="/reconstruct", query=named, headers={"Content-Type": "image/png"}, body=_picture()),
            _npy("/encode", 3, named | {"sample": "true", "format": "json"}),
            _json("/decode", {"latents": latents}, {"framework": framework}),
            RequestContext(path="/sample", query={"n": 4, "format": "npy", **named}),
            RequestContext(path="/sample", query={"n": 4, "format": "png", **named}),
            _json("/score", {"images": images}, named | {"samples": 50}),
            _json("/interpolate", {"images": images}, {"framework": framework, "steps": 5}),
            RequestContext(path=f"/v2/models/{framework}-reconstruct"),
            _infer(framework, binary=False),
            _infer(framework, binary=True, weight=4),
        ]
    return requests


def read_answer(answer: httpx.Response) -> Any:
    """Return the content of a response: values of JSON, an array, or pixels in steps of the tolerance."""
    match answer.headers["Content-Type"].partition(";")[0]:
        case "application/json":
            return answer.json()
        case "application/x-npy":
            return np.load(io.BytesIO(answer.content))
        case "image/png":
            # A probability between two gray levels may be rounded to either.
            return np.asarray(Image.open(io.BytesIO(answer.content))) * TOLERANCE
        case "application/octet-stream":
            return np.frombuffer(answer.content[int(answer.headers["Inference-Header-Content-Length"]) :], np.float32)
        case _:
            return answer.text


def find_difference(expected: Any, actual: Any, where: str = "answer") -> str | None:
    """Return where and how a response differs from the expected one; None if it doesn't."""
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        inner = [(expected[name], actual[name], f"{where}.{name}") for name in expected if name not in VOLATILE]
        return next(filter(None, (find_difference(*arguments) for arguments in inner)), None)
    if _is_list_of_objects(expected) and _is_list_of_objects(actual) and len(expected) == len(actual):
        items = enumerate(zip(expected, actual, strict=True))
        return next(filter(None, (find_difference(*pair, f"{where}[{index}]") for index, pair in items)), None)
    if _is_numeric(expected) and _is_numeric(actual):
        old, new = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
        if old.shape != new.shape:
            return f"{where} has shape {new.shape} instead of {old.shape}"
        if not np.allclose(old, new, rtol=TOLERANCE, atol=TOLERANCE):
            return f"{where} differs by {np.abs(old - new).max():.1g}"
        return None
    return None if expected == actual else f"{where} is {str(actual)[:80]!r} instead of {str(expected)[:80]!r}"


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _is_numeric(value: Any) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float, np.ndarray)) and not isinstance(value, bool)


def _npy(path: str, count: int, query: Mapping[str, str | int], *, weight: float = 1.0) -> RequestContext:
    headers = {"Content-Type": "application/x-npy"} | ({} if "format" in query else {"Accept": "application/x-npy"})
    return RequestContext(path=path, query=query, headers=headers, body=dump_npy(digits(count)), weight=weight)


def _json(
    path: str, members: Mapping[str, Any], query: Mapping[str, str | int], *, weight: float = 1.0
) -> RequestContext:
    headers = {"Content-Type": "application/json"}
    return RequestContext(path=path, query=query, headers=headers, body=json.dumps(members).encode(), weight=weight)


def _infer(framework: str, *, binary: bool, weight: float = 1.0) -> RequestContext:
    """Return an infer request of the Open Inference Protocol."""
    images = digits(2).reshape(2, 28, 28)
    tensor: dict[str, Any] = {"name": "images", "datatype": "FP32", "shape": images.shape}
    members: dict[str, Any] = {"inputs": [tensor], "parameters": {"seed": SEED}}
    path = f"/v2/models/{framework}-reconstruct/infer"
    if not binary:
        tensor["data"] = images.ravel().tolist()
        return _json(path, members, {}, weight=weight)
    tensor["parameters"] = {"binary_data_size": images.nbytes}
    members["parameters"]["binary_data_output"] = True
    text = json.dumps(members).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
    return RequestContext(path=path, headers=headers, body=text + images.tobytes(), weight=weight)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray((digits(1).reshape(28, 28) * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
