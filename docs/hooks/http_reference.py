"""The guide's reference of the HTTP API: routes, examples and errors, from the service's own OpenAPI document."""

import json
import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any, Final

from http_snippets import snippets
from snippets import escape

from app.api.schemas.error_responses import ERROR_MEANINGS
from app.api.schemas.examples import EXAMPLES
from app.main import create_app
from app.problem_details import TITLES
from app.settings import Settings

_INNERMOST: Final = re.compile(r"\[[^\[\]{}]*\]")


def http() -> str:
    """Return a section for each route."""
    document = create_app(Settings()).api.openapi()
    return "\n".join(
        line
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for line in _route(f"{method.upper()} {path}", operation, document["components"]["schemas"])
    )


def errors() -> str:
    """Return a row for each error status."""
    lines = ["| status | title | cause |", "|---|---|---|"]
    lines += [f"| {status} | {TITLES[status]} | {escape(meaning)} |" for status, meaning in ERROR_MEANINGS.items()]
    return "\n".join(lines)


def _route(title: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"## `{title}`\n"
    yield f"{operation['description']}\n"
    responses = operation["responses"]
    content = responses["200"]["content"]
    yield from _example(operation, content)
    if parameters := operation.get("parameters"):
        yield from ("| parameter | meaning | type | in |", "|---|---|---|---|")
        for item in parameters:
            schema = item["schema"]
            default = f" Default: {schema['default']}." if "default" in schema else ""
            yield f"| `{item['name']}` | {escape(item['description'])}{default} | {_kind(schema)} | {item['in']} |"
        yield ""
    if "requestBody" in operation:
        yield from _body(operation["requestBody"]["content"], schemas)
    yield f"**Response**, one of {', '.join(f'`{kind}`' for kind in content)}.\n"
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    if fields := schemas.get(reference.rpartition("/")[2], {}).get("properties"):
        yield from ("| field | meaning | type |", "|---|---|---|")
        for name, field in fields.items():
            yield f"| `{name}` | {escape(field.get('description', ''))} | {_kind(field)} |"
        yield ""
    statuses = [status for status in responses if status != "200"]
    if statuses:
        yield f"**[Errors](#errors)**: {', '.join(statuses)}.\n"


def _example(operation: dict[str, Any], content: dict[str, Any]) -> Iterator[str]:
    """Yield the first example request, a tab for each language, and its response, with the arrays cut."""
    example = EXAMPLES[operation["operationId"]][0]
    key = "first-key" if operation["tags"] == ["admin"] else None
    for title, (language, code) in snippets(example, key=key).items():
        yield f'=== "{title}"\n'
        yield indent(f"```{language}\n{code}\n```\n", "    ")
    for media_type, media in content.items():
        if "example" in media:
            is_json = media_type == "application/json"
            shown = json.dumps(media["example"], indent=2) if is_json else media["example"].rstrip()
            yield f'```{"json" if is_json else "text"} title="Response"\n{_join_numbers(shown)}\n```\n'


def _join_numbers(text: str) -> str:
    """Return indented JSON with each innermost array on one line."""
    return _INNERMOST.sub(lambda found: " ".join(found[0].split()), text)


def _body(content: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    types = f"**Body**, one of {', '.join(f'`{kind}`' for kind in content)}."
    if "application/json" not in content:
        form = _resolve(content["multipart/form-data"]["schema"], schemas)
        yield f"{types} The form's fields, each a file:\n"
        yield from (f"- `{name}`: {field['description']}" for name, field in form["properties"].items())
        yield ""
        return
    yield f"{types} In JSON:\n"
    schema = _resolve(content["application/json"]["schema"], schemas)
    bodies = [_resolve(each, schemas) for each in schema.get("oneOf", [schema])]
    fields = {name: field for body in bodies for name, field in body["properties"].items() if name in body["required"]}
    yield from (f"- `{name}`: {field['description']}" for name, field in fields.items())
    yield "- the query parameters other than `framework`, `format` and `output`, by the same names\n"


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return resolved


def _kind(schema: dict[str, Any]) -> str:
    """Return a type in words, such as `array of arrays of number`."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"array of {_plural(_kind(schema['items']))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_plural(_kind(schema['additionalProperties']))}"
    return str(schema.get("type", "any"))


def _plural(kind: str) -> str:
    return kind.replace("array of", "arrays of", 1) if kind.startswith("array") else f"{kind}s"
