"""Example requests of each route, for `/openapi.json` and the guide. Tests send each to a running service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

DIGIT: Final = (
    "............................",
    "............................",
    "............................",
    "............................",
    "............................",
    "......###############.......",
    "......################......",
    "......################......",
    "...................###......",
    "..................###.......",
    "..................###.......",
    ".................###........",
    ".................###........",
    "................###.........",
    "................###.........",
    "...............###..........",
    "...............###..........",
    "..............###...........",
    "..............###...........",
    ".............###............",
    ".............###............",
    "............###.............",
    "............###.............",
    "............................",
    "............................",
    "............................",
    "............................",
    "............................",
)
"""A hand-drawn seven of 28 x 28 pixels."""

DIGIT_PNG_BASE64: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAANUlEQVR42mNgwAWY//9gYGJgYGFgggrIMDBBCQYGJgYGC7jEA5gY"
    "I5zFdAAmy84AE4OxcAIArdkFHNsefUkAAAAASUVORK5CYII="
)
"""The seven as a PNG file in base64."""


def digit_rows() -> list[list[int]]:
    """Return the seven as 28 rows of 28 numbers: 1 is white, 0 is black."""
    return [[int(cell == "#") for cell in row] for row in DIGIT]


def latents() -> list[list[float]]:
    """Return one latent of length 20, near the center of the prior."""
    return [[0.5, -0.5] * 10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request that a running service answers with 200."""

    summary: str
    method: str
    path: str
    """The route's path, with the names of its parameters in braces."""

    model: tuple[str, str] | None = None
    """Framework and name of the model, where the path has them."""

    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    """JSON body."""

    file: str | None = None
    """Path of the file that is the body, in place of JSON."""

    @property
    def target(self) -> str:
        """The path with its parameters filled in."""
        if self.model is None:
            return self.path
        framework, name = self.model
        return self.path.format(framework=framework, name=name)


def _post(path: str, summary: str, **body: object) -> Example:
    return Example(summary=summary, method="POST", path=path, body=body)


def _get(path: str, summary: str, **query: str | int) -> Example:
    return Example(summary=summary, method="GET", path=path, query=query)


_MODEL: Final = ("tensorflow", "model")

EXAMPLES: Final[Mapping[str, Sequence[Example]]] = {
    "reconstruct": (
        _post("/reconstruct", "A PNG file in base64", images=[DIGIT_PNG_BASE64], seed=7),
        _post("/reconstruct", "28 rows of 28 numbers", images=[digit_rows()], seed=7),
        _post("/reconstruct", "A drawing, cropped and centered", images=[DIGIT_PNG_BASE64], centre=True, seed=7),
    ),
    "encode": (
        _post("/encode", "A PNG file in base64", images=[DIGIT_PNG_BASE64], sample=True, seed=7),
        _post("/encode", "28 rows of 28 numbers", images=[digit_rows()]),
    ),
    "decode": (_post("/decode", "One latent", latents=latents()),),
    "sample": (_get("/sample", "Two images", n=2, seed=7),),
    "score": (
        _post("/score", "A PNG file in base64, 16 samples", images=[DIGIT_PNG_BASE64], samples=16, seed=7),
        _post("/score", "28 rows of 28 numbers", images=[digit_rows()], seed=7),
    ),
    "interpolate": (
        _post("/interpolate", "Two latents", latents=[*latents(), [0.0] * 20], steps=3),
        _post("/interpolate", "Two PNG files in base64", images=[DIGIT_PNG_BASE64] * 2, steps=3),
    ),
    "compare": (
        _post("/compare", "A PNG file in base64", images=[DIGIT_PNG_BASE64], seed=7),
        _post("/compare", "28 rows of 28 numbers", images=[digit_rows()], seed=7),
    ),
    "frameworks": (_get("/frameworks", "All frameworks"),),
    "healthz": (_get("/healthz", "Liveness"),),
    "readyz": (_get("/readyz", "Readiness of one framework", framework="pytorch"),),
    "metrics": (_get("/metrics", "All metrics"),),
    "models": (_get("/models", "All models"),),
    "model_companion": (
        Example(
            summary="Examples and map of a model",
            method="GET",
            path="/models/{framework}/{name}/companion",
            model=_MODEL,
        ),
    ),
    "reload": (
        Example(summary="Reload one framework", method="POST", path="/admin/reload", query={"framework": "pytorch"}),
    ),
    "promote_model": (
        Example(
            summary="A checkpoint that training wrote",
            method="POST",
            path="/admin/models/{framework}/{name}/promote",
            model=_MODEL,
            file="runs/pytorch/model.safetensors",
        ),
    ),
    "roll_back_model": (
        Example(
            summary="Undo the last promotion",
            method="POST",
            path="/admin/models/{framework}/{name}/rollback",
            model=_MODEL,
        ),
    ),
    "model_history": (
        Example(
            summary="The history of a model",
            method="GET",
            path="/admin/models/{framework}/{name}/history",
            model=_MODEL,
        ),
    ),
}
"""Requests by operation ID; the guide shows the first of each."""
