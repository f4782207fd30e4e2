"""The OpenAPI document: operations, shared components, security, servers and tags. Validates no request."""

import json
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.api.schemas.error_responses import describe_errors, error_components, error_references, problem_schemas
from app.api.schemas.model_options import ResponseOptions
from app.api.schemas.query_parameters import query_parameters
from app.api.schemas.request_bodies import BINARY, CHECKPOINT_BODY, name_schemas, request_body
from app.api.schemas.requests import Options
from app.api.schemas.responses import Provenance
from app.api_keys import PUBLIC_PATHS
from training.frameworks import framework_choices

_TIMEOUT: Final = {
    "name": "X-Request-Timeout",
    "in": "header",
    "description": "Deadline in seconds. Work that takes longer is canceled, with 504.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}

_DESCRIPTION: Final = """\
One variational autoencoder, trained in JAX, TensorFlow and PyTorch, and served by all three.

Images are sent as JSON (numbers, or image files in base64), as image files, or as NumPy arrays. Responses are JSON, PNG
or npy, by the `Accept` header or `?format=`. The same seed gives the same noise in every framework.
"""
_LICENSE: Final[dict[str, Any]] = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
_CONTACT: Final[dict[str, Any]] = {"name": "The operator of this service"}

_TAGS: Final[list[dict[str, Any]]] = [
    {"name": "models", "description": "Run a model: reconstruct, encode, decode, sample, score, interpolate, compare."},
    {"name": "status", "description": "Loaded models, health, readiness and metrics."},
    {"name": "admin", "description": "Change what is served; needs an API key."},
]

_MODEL_PATH: Final[list[dict[str, Any]]] = [
    {
        "name": "framework",
        "in": "path",
        "required": True,
        "description": f"One of {framework_choices()}, in any case.",
        "schema": {"type": "string"},
    },
    {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "Name of the model; `/models` lists them.",
        "schema": {"type": "string"},
    },
]

# Relative to the document itself, so that it is right under any path prefix.
_SERVERS: Final[list[dict[str, str | Any]]] = [{"url": ".", "description": "The server of this document."}]

_SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "API key as `Authorization: Bearer KEY`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "API key as `X-API-Key: KEY`."},
}
_KEY_NEEDED: Final[list[dict[str, list[str]]]] = [{name: []} for name in _SECURITY_SCHEMES]
_KEY_OPTIONAL: Final = [{}, *_KEY_NEEDED]

_RESPONSE_EXAMPLES: Final = Path(__file__).with_name("example_responses.json")
"""Recorded by `docs/scripts/record_responses.py`."""


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function as its operation ID; FastAPI's default appends path and method."""
    return route.name


def describe_route(options: type[Options], response: type[BaseModel], *, field: str | None) -> dict[str, Any]:
    """Return the arguments of a model route's decorator; `field` is the array in its body, if it has a body."""
    parameters = [item for item in query_parameters(ResponseOptions) if item["name"] in options.response_options]
    parameters += [*query_parameters(options, in_body=field is not None), _TIMEOUT]
    statuses = [401, 404, 406, 422, 429, 503, 504]
    extra: dict[str, Any] = {"parameters": parameters}
    if field is not None:
        extra["requestBody"] = request_body(response.__name__.removesuffix("Response").lower(), options, field)
        statuses += [400, 408, 413, 415]
    formats = options().formats
    if field is None and "png" in formats:
        statuses.append(413)  # enlarged, a grid of many images has too many pixels
    extra["responses"] = error_references(statuses)
    content: dict[str, Any] = {}
    if "npy" in formats:
        content["application/x-npy"] = {"schema": BINARY}
    if "png" in formats:
        content["image/png"] = {"schema": BINARY}
    ok = {
        "model": response,
        "description": "The arrays and their origin. A PNG shows `probs`, several as a grid; "
        "an npy holds one array, float32.",
        "content": content,
        "headers": _response_headers(),
    }
    return {"responses": {200: ok}, "openapi_extra": extra}


def describe_admin_route(options: type[BaseModel]) -> dict[str, Any]:
    """Return the arguments of the decorator of a route that changes what is served."""
    extra = {
        "parameters": query_parameters(options),
        "responses": error_references([401, 403, 409, 422, 429, 503]),
        "security": _KEY_NEEDED,
    }
    return {"openapi_extra": extra}


def describe_promotion_route(options: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the arguments of the decorator of an admin route of one model; with options, its body is a checkpoint."""
    statuses = [401, 403, 404, 409, 422, 429, 503]
    extra: dict[str, Any] = {"parameters": _MODEL_PATH, "security": _KEY_NEEDED}
    if options is not None:
        statuses += [400, 408, 413, 415]
        extra["parameters"] = [*_MODEL_PATH, *query_parameters(options, in_body=True)]
        extra["requestBody"] = CHECKPOINT_BODY
    return {"openapi_extra": {**extra, "responses": error_references(statuses)}}


def describe_companion_route(response: type[BaseModel]) -> dict[str, Any]:
    """Return the arguments of the decorator of the route that sends a model's companion file."""
    extra = {"parameters": _MODEL_PATH, "responses": error_references([401, 404, 422, 429, 503])}
    responses = {
        200: {"model": response, "description": "The companion file."},
        304: {"description": "The client's copy, which `If-None-Match` names, is still the same."},
    }
    return {"responses": responses, "openapi_extra": extra}


def describe_status_route(options: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the arguments of a status route's decorator."""
    statuses = [401, 422, 429, 503] if options is None else [422, 503]
    parameters = [] if options is None else query_parameters(options)
    return {"openapi_extra": {"parameters": parameters, "responses": error_references(statuses)}}


def build_openapi(app: FastAPI, *, needs_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=f"{_DESCRIPTION}\n{describe_errors()}",
        routes=app.routes,
        tags=_TAGS,
        servers=_SERVERS,
        license_info=_LICENSE,
        contact=_CONTACT,
    )
    components = document["components"]
    components["schemas"] |= problem_schemas()
    components["responses"] = error_components()
    components["securitySchemes"] = _SECURITY_SCHEMES
    document["security"] = _KEY_NEEDED if needs_key else _KEY_OPTIONAL
    for path in set(PUBLIC_PATHS) & document["paths"].keys():
        document["paths"][path]["get"] |= {"security": []}
    name_schemas(document)
    _add_response_examples(document)
    return document


def provenance_headers() -> dict[str, str | None]:
    """Return the headers that name the origin of a response, each with its description."""
    return {
        f"X-Triptych-{name.replace('_', '-').title()}": field.description
        for name, field in Provenance.model_fields.items()
    }


def _response_headers() -> dict[str, Any]:
    headers = provenance_headers()
    headers["Server-Timing"] = "Milliseconds in the queue, in the model, and in total."
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}


def _add_response_examples(document: dict[str, Any]) -> None:
    examples = json.loads(_RESPONSE_EXAMPLES.read_text(encoding="utf-8"))
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation["responses"]["200"]["content"]
            media = content.get("application/json") or content["text/plain"]
            media["example"] = examples[operation["operationId"]]
