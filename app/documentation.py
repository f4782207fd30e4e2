"""What `/openapi.json` says of each route: parameters, bodies, examples, answers and errors. Checks nothing itself."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.answer_schemas import Problem, Provenance
from app.errors import PROBLEM_JSON, TITLES
from app.examples import DIGIT_PNG_BASE64, digit_rows, latents
from app.middleware import OPEN_PATHS
from app.schemas import AnswerOptions, Options

_BINARY: Final = {"type": "string", "format": "binary"}
_NUMBERS: Final = {"type": "array", "items": {"type": "number"}}
_ROWS: Final = {"type": "array", "items": _NUMBERS}

_TIMEOUT: Final = {
    "name": "X-Request-Timeout",
    "in": "header",
    "description": "Seconds after which the answer is of no use: work that takes longer is dropped, with 504.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}

_DESCRIPTION: Final = """\
One variational autoencoder, trained in JAX, TensorFlow and PyTorch, and served by all three.

Images go in as JSON (numbers, or image files in base64), as image files, or as NumPy arrays; answers come as JSON, PNG
or npy, by the `Accept` header or `?format=`. The same seed draws the same noise in every framework.
Errors are problem documents (RFC 9457).
"""


def describe_route(options: type[Options], answer: type[BaseModel], *, field: str | None) -> dict[str, Any]:
    """Return the arguments of a model route's decorator; `field` is what its body holds, if it has one."""
    about_answer = [item for item in _parameters(AnswerOptions) if item["name"] in options.answer_options]
    extra: dict[str, Any] = {"parameters": [*about_answer, *_parameters(options), _TIMEOUT]}
    statuses = [401, 406, 422, 429, 503, 504]
    if field is not None:
        extra["requestBody"] = {"required": True, "content": _bodies(options, field)}
        statuses += [400, 408, 413, 415]
    formats = options().formats
    content: dict[str, Any] = {}
    if "npy" in formats:
        content["application/x-npy"] = {"schema": _BINARY}
    if "png" in formats:
        content["image/png"] = {"schema": _BINARY}
    ok = {
        "model": answer,
        "description": "The arrays, and where they come from. "
        "A PNG shows `probs`, several as a grid; a npy holds one array, float32.",
        "content": content,
        "headers": _headers(),
    }
    return {"responses": {200: ok, **_problems(statuses)}, "openapi_extra": extra}


def describe_admin_route(options: type[BaseModel]) -> dict[str, Any]:
    """Return the arguments of a route's decorator that changes what is served."""
    return {
        "responses": _problems([401, 403, 409, 422, 429, 503]),
        "openapi_extra": {"parameters": _parameters(options)},
    }


def describe_status_route(options: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the arguments of a status route's decorator."""
    statuses = [401, 422, 429] if options is None else [422, 503]
    parameters = [] if options is None else _parameters(options)
    return {"responses": _problems(statuses), "openapi_extra": {"parameters": parameters}}


def build_openapi(app: FastAPI, *, needs_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    document = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
    components = document.setdefault("components", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.setdefault("schemas", {}).update({**problem.pop("$defs"), "Problem": problem})
    if needs_key:
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{"bearer": []}, {"header": []}]
        for path in OPEN_PATHS:
            document["paths"][path]["get"] |= {"security": []}
    return document


def _parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    parameters = []
    for name, schema in _option_schemas(model).items():
        parameter = {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        # Interactive documentation fills in what stands here.
        if examples := schema.pop("examples", None):
            parameter["example"] = examples[0]
        parameters.append(parameter)
    return parameters


def _option_schemas(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each field, without the null that stands for an option not given."""
    schemas = {}
    for name, field in model.model_json_schema()["properties"].items():
        value = field.pop("anyOf", [{}])[0]
        schema = {**field, **value}
        schema.pop("title", None)
        if schema.get("default") is None:
            schema.pop("default", None)
        schemas[name] = schema
    return schemas


def _bodies(options: type[Options], field: str) -> dict[str, Any]:
    schemas = {"images": _images_schema(), "latents": _latents_schema()}
    if field != "ends":
        schemas = {field: schemas[field]}
    body = {
        "type": "object",
        "properties": {**schemas, **_option_schemas(options)},
        "additionalProperties": False,
    }
    if field == "ends":
        body["oneOf"] = [{"required": [name]} for name in schemas]
        for schema in schemas.values():
            schema |= {"minItems": 2, "maxItems": 2}
    else:
        body["required"] = [field]
    bodies: dict[str, Any] = {"application/json": {"schema": body, "examples": _examples(field)}}
    if field != "latents":
        files = {"type": "array", "items": _BINARY, "description": "One or more image files."}
        form = {"type": "object", "required": ["files"], "properties": {"files": files}}
        bodies["multipart/form-data"] = {"schema": form}
        bodies["image/png"] = {"schema": {**_BINARY, "description": "An image file; JPEG, WebP, ... likewise."}}
        bodies["image/jpeg"] = {"schema": _BINARY}
    bodies["application/x-npy"] = {"schema": {**_BINARY, "description": "A NumPy array, as `numpy.save` writes it."}}
    return bodies


def _images_schema() -> dict[str, Any]:
    return {
        "description": "Images, white on black; each a flat list or rows of numbers in [0, 1], or an image file in "
        "base64 (a `data:` URL too). One image may stand without the outer list, as a flat list.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "string"}, _NUMBERS, _ROWS, {"type": "number"}]},
    }


def _latents_schema() -> dict[str, Any]:
    return {
        "description": "Latents, each a list of `latent_dim` numbers; one may stand without the outer list.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [_NUMBERS, {"type": "number"}]},
    }


def _examples(field: str) -> dict[str, Any]:
    if field == "latents":
        return {"one": {"summary": "One latent", "value": {"latents": latents()}}}
    if field == "ends":
        return {
            "files": {"summary": "Two PNG files in base64", "value": {"images": [DIGIT_PNG_BASE64] * 2}},
            "latents": {"summary": "Two latents", "value": {"latents": [*latents(), [0.0] * len(latents()[0])]}},
        }
    return {
        "file": {"summary": "A PNG file in base64", "value": {"images": [DIGIT_PNG_BASE64]}},
        "numbers": {"summary": "28 rows of 28 numbers", "value": {"images": [digit_rows()]}},
    }


def provenance_headers() -> dict[str, str | None]:
    """Return the headers that say where an answer comes from, each with its description."""
    return {
        f"X-Triptych-{name.replace('_', '-').title()}": field.description
        for name, field in Provenance.model_fields.items()
    }


def _headers() -> dict[str, Any]:
    headers = provenance_headers()
    headers["Server-Timing"] = "Milliseconds in the queue, in the model, and in total."
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}


def _problems(statuses: Iterable[int]) -> dict[int | str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": TITLES[status], "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in sorted(statuses)
    }
