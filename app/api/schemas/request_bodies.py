"""OpenAPI schemas of request bodies: JSON, forms, image files, npy and npz. Query parameters are in `openapi.py`."""

from typing import Any, Final

from app.api.schemas.examples import EXAMPLES
from app.api.schemas.query_parameters import option_schemas
from app.api.schemas.requests import Options
from training.data.image_formats import FORMATS

BINARY: Final = {"type": "string", "format": "binary"}

_NUMBERS: Final = {"type": "array", "items": {"type": "number"}}
_ROWS: Final = {"type": "array", "items": _NUMBERS}

_ARRAYS: Final = {
    "images": {
        "description": "Images, white on black; each a flat list or rows of numbers in [0, 1], or an image file in "
        "base64 (or as a `data:` URL). The outer list may be omitted around one file or one flat list of numbers.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "string"}, _NUMBERS, _ROWS, {"type": "number"}]},
    },
    "latents": {
        "description": "Latents, each a list of `latent_dim` numbers. The outer list may be omitted around one latent.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [_NUMBERS, {"type": "number"}]},
    },
}

_FILES: Final = {
    "title": "ImageFiles",
    "type": "object",
    "required": ["files"],
    "properties": {"files": {"type": "array", "items": BINARY, "description": "One or more image files."}},
}

CHECKPOINT_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {**BINARY, "description": "A checkpoint: a safetensors file."}},
        "multipart/form-data": {
            "schema": {
                "title": "CheckpointFiles",
                "type": "object",
                "required": ["checkpoint"],
                "properties": {
                    "checkpoint": {**BINARY, "description": "A safetensors file that training wrote."},
                    "companion": {**BINARY, "description": "Its companion file, with examples and a map."},
                    "snapshots": {**BINARY, "description": "The weights of earlier epochs of its run."},
                },
            }
        },
    },
}
"""The body of a promotion."""

_IMAGE_TYPES: Final = {
    "image/png": "An image file; its bytes decide the format, whatever image type is declared.",
    **{f"image/{name.lower()}": f"A {name} file." for name in FORMATS if name not in {"PNG", "HEIC"}},
    "image/heic": "A HEIC file, on a server with the extra `heic`.",
}

_ARRAY_TYPES: Final = {
    "application/x-npy": "A NumPy array, as `numpy.save` writes it.",
    "application/x-npz": "One NumPy array, as `numpy.savez` or `numpy.savez_compressed` writes it.",
    "application/octet-stream": "An npy or npz file, recognized by its first bytes.",
}


def request_body(operation_id: str, options: type[Options], field: str) -> dict[str, Any]:
    """Return the `requestBody` of an operation; `field` is `images`, `latents`, or `ends` for two of either."""
    name = operation_id.title()
    if field == "ends":
        ends = [_json_body(f"{name}{kind.title()}Request", options, kind, count=2) for kind in _ARRAYS]
        schema = {"title": f"{name}Request", "oneOf": ends}
    else:
        schema = _json_body(f"{name}Request", options, field)
    examples = {
        f"example{i}": {"summary": example.summary, "value": example.body}
        for i, example in enumerate(EXAMPLES[operation_id], 1)
    }
    content: dict[str, Any] = {"application/json": {"schema": schema, "examples": examples}}
    if field != "latents":
        content["multipart/form-data"] = {"schema": _FILES}
        content |= {
            media_type: {"schema": {**BINARY, "description": text}} for media_type, text in _IMAGE_TYPES.items()
        }
    content |= {media_type: {"schema": {**BINARY, "description": text}} for media_type, text in _ARRAY_TYPES.items()}
    if field != "latents":
        content["application/octet-stream"]["schema"]["description"] = (
            "An image, npy or npz file, recognized by its first bytes."
        )
    return {"required": True, "content": content}


def name_schemas(document: dict[str, Any]) -> None:
    """Move the titled schemas of request bodies to the components: generators name their types after those."""
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                media["schema"] = _reference(media["schema"], schemas)


def _reference(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "title" not in schema:
        return schema
    if "oneOf" in schema:
        schema = {**schema, "oneOf": [_reference(alternative, schemas) for alternative in schema["oneOf"]]}
    schemas[schema["title"]] = schema
    return {"$ref": f"#/components/schemas/{schema['title']}"}


def _json_body(title: str, options: type[Options], field: str, *, count: int | None = None) -> dict[str, Any]:
    array = _ARRAYS[field] if count is None else {**_ARRAYS[field], "minItems": count, "maxItems": count}
    return {
        "title": title,
        "type": "object",
        "required": [field],
        "properties": {field: array, **option_schemas(options, has_default=False)},
        "additionalProperties": False,
    }
