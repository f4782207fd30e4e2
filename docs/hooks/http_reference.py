"""The guide's reference of the HTTP API, from the OpenAPI document that the service itself gives."""

from collections.abc import Iterator
from typing import Any

from snippets import escape

from app.main import create_app
from app.settings import Settings


def http() -> str:
    """Return a section for each route."""
    document = create_app(Settings()).api.openapi()
    return "\n".join(
        line
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for line in _route(f"{method.upper()} {path}", operation, document["components"]["schemas"])
    )


def _route(title: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"## `{title}`\n"
    yield f"{operation['description']}\n"
    if parameters := operation.get("parameters"):
        yield from ("| parameter | meaning | type | default | in |", "|---|---|---|---|---|")
        for item in parameters:
            schema = item["schema"]
            default = f"`{str(schema['default']).lower()}`" if "default" in schema else ""
            meaning = escape(item["description"])
            yield f"| `{item['name']}` | {meaning} | {_kind(schema)} | {default} | {item['in']} |"
        yield ""
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        yield f"**Body**, one of {', '.join(f'`{kind}`' for kind in content)}. In JSON:\n"
        fields = content["application/json"]["schema"]["properties"]
        named = [name for name in fields if name in {"images", "latents"}]
        yield from (f"- `{name}`: {fields[name]['description']}" for name in named)
        yield "- the query parameters other than those about the answer, by the same names\n"
    answers = operation["responses"]
    content = answers["200"].get("content", {})
    yield f"**Answer**, one of {', '.join(f'`{kind}`' for kind in content)}.\n"
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    if fields := schemas.get(reference.rpartition("/")[2], {}).get("properties"):
        yield from ("| field | meaning | type |", "|---|---|---|")
        for name, field in fields.items():
            yield f"| `{name}` | {escape(field.get('description', ''))} | {_kind(field)} |"
        yield ""
    errors = [f"{status} ({answer['description']})" for status, answer in answers.items() if status != "200"]
    if errors:
        yield f"**Errors**: {', '.join(errors)}.\n"


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
