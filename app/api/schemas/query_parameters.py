"""OpenAPI query parameters from the pydantic models of options.

FastAPI's `Annotated[Options, Query()]` isn't used: a JSON body needs the same schemas without null and default, and
each endpoint would have an argument that it never reads, because the options of query and body are validated together.
"""

from typing import Any

from pydantic import BaseModel


def query_parameters(model: type[BaseModel], *, in_body: bool = False) -> list[dict[str, Any]]:
    """Return a query parameter for each field; `in_body` if a JSON body may hold the same options."""
    parameters = []
    for name, schema in option_schemas(model, has_default=not in_body).items():
        parameter = {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        # Interactive documentation sends the example, which would contradict an edited body.
        examples = schema.pop("examples", None)
        if examples and not in_body:
            parameter["example"] = examples[0]
        parameters.append(parameter)
    return parameters


def option_schemas(model: type[BaseModel], *, has_default: bool) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each field, without the null of an option that isn't given.

    Without `has_default` the default is in the description only: generated clients send a `default`, which would
    contradict the same option in the other part of the request.
    """
    schemas = {}
    for name, field in model.model_json_schema()["properties"].items():
        value = field.pop("anyOf", [{}])[0]
        schema = {**field, **value}
        schema.pop("title", None)
        default = schema.pop("default", None)
        if default is not None and has_default:
            schema["default"] = default
        elif default is not None:
            schema["description"] += f" Default: {str(default).lower()}."
        schemas[name] = schema
    return schemas
