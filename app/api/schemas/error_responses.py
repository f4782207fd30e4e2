"""Error responses for `/openapi.json`, shared by all routes, with an example each. `app.problem_details` sends them."""

import json
from collections.abc import Iterable
from typing import Any, Final

from app.api.schemas.responses import Problem
from app.problem_details import PROBLEM_JSON, TITLES

ERROR_MEANINGS: Final = {
    400: "Malformed: broken JSON, image file, npy or multipart; or invalid HTTP.",
    401: "The API key is missing or wrong.",
    403: "The server has no API keys, which this route needs.",
    404: "There is no such route, or the framework has no model, snapshot or companion file of that name.",
    405: "The route has another method.",
    406: "The route has no response in a format that the request accepts.",
    408: "The request line, the headers or the body took too long to arrive.",
    409: "A checkpoint or the file of API keys is invalid, or a checkpoint is worse than the previous one, which stays "
    "in use; or no replaced checkpoint is kept to roll back to.",
    413: "The body, an image or the batch exceeds a limit.",
    415: "The `Content-Type` or `Content-Encoding` is missing or not supported.",
    422: "A value is invalid: shape, range, type, or an unknown option.",
    429: "The queue is full, or the rate limit is exceeded.",
    431: "The request line and headers are too long, or too many.",
    500: "An error of the server; its log has the details under the same `request_id`.",
    501: "The body has a `Transfer-Encoding` other than `chunked`.",
    503: "The framework is loading, failed or not installed; the server is shutting down or has too many connections.",
    504: "The deadline passed: the server's, or the client's `X-Request-Timeout`.",
}
"""Cause of each error status."""

_DOCUMENTED: Final = (400, 401, 403, 404, 406, 408, 409, 413, 415, 422, 429, 503, 504)
"""Statuses that operations refer to; the others depend on no operation."""

_NEGATIVE_SEED: Final = {"where": "query.seed", "why": "input should be greater than or equal to 0; found -1"}

_RETRY_AFTER: Final = {
    "description": "Seconds to wait before the next attempt.",
    "schema": {"type": "integer", "minimum": 1},
}

_HEADERS: Final = {
    401: {"WWW-Authenticate": {"description": "The scheme, `Bearer`.", "schema": {"type": "string"}}},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}


_INTRODUCTION: Final = """\
## Errors

An error is a problem document (RFC 9457), `application/problem+json`. `errors` names each invalid value; the
server's log has the `request_id`:
"""


def describe_errors() -> str:
    """Return the section about errors of the API's description, in Markdown."""
    example = json.dumps(_example(422), indent=2)
    headers = [f"{status} has `{name}`" for status, names in _HEADERS.items() for name in names]
    others = [f"- {status}: {ERROR_MEANINGS[status]}" for status in ERROR_MEANINGS.keys() - set(_DOCUMENTED)]
    return "\n".join(
        [
            _INTRODUCTION,
            f"```json\n{example}\n```\n",
            f"{', '.join(headers)}. Each route lists its statuses; any request can also get:\n",
            *sorted(others),
        ]
    )


def error_references(statuses: Iterable[int]) -> dict[str, Any]:
    """Return the `responses` of an operation for these statuses: references to the components."""
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(statuses)}


def error_components() -> dict[str, Any]:
    """Return the `components.responses` that operations refer to, by name."""
    return {_name(status): _component(status) for status in _DOCUMENTED}


def problem_schemas() -> dict[str, Any]:
    """Return the schemas of a problem document, by name."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def _name(status: int) -> str:
    return TITLES[status].replace(" ", "")


def _component(status: int) -> dict[str, Any]:
    media = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _example(status)}
    component: dict[str, Any] = {"description": ERROR_MEANINGS[status], "content": {PROBLEM_JSON: media}}
    if status in _HEADERS:
        component["headers"] = _HEADERS[status]
    return component


def _example(status: int) -> dict[str, Any]:
    errors = [_NEGATIVE_SEED] if status == 422 else []
    return {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": "; ".join(f"{error['where']}: {error['why']}" for error in errors) or ERROR_MEANINGS[status],
        "errors": errors,
        "request_id": "5f0c1c6e8b0a4f3d9a53c1d2e4b7a690",
    }
