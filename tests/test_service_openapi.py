"""The OpenAPI document: it tells of every route, and what it promises is what the service does."""

from base64 import b64decode

import pytest

from app.codecs.limits import Limits
from app.codecs.pictures import parse_picture
from app.examples import DIGIT_PNG_BASE64, digit_rows
from tests.service import MODEL, make_service

ROUTES = [
    "/reconstruct",
    "/encode",
    "/decode",
    "/sample",
    "/score",
    "/interpolate",
    "/compare",
    "/frameworks",
    "/healthz",
    "/readyz",
    "/metrics",
    "/admin/reload",
]


@pytest.fixture(scope="module")
def document(client):
    """The document as a client gets it."""
    return client.get("/openapi.json").json()


def operations(document):
    """Return path, method and operation of each route."""
    return [(path, method, item) for path, methods in document["paths"].items() for method, item in methods.items()]


def resolve(document, schema):
    """Return the schema that a reference points to."""
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def test_every_route_is_documented(document):
    """The document lists the routes, each with a summary and a description."""
    assert list(document["paths"]) == ROUTES
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"].endswith(".")


def test_every_parameter_is_described(document):
    """Each parameter says what it is for."""
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter["description"].endswith(".")
            assert parameter["schema"]["type"] in {"string", "integer", "number", "boolean"}


def test_every_error_is_a_problem_document(document):
    """Each error status of each route has the schema of problem documents."""
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status != "200":
                assert response["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }


def example_requests():
    """Return method, path, query and body of every example in the document."""
    # Building the document needs neither checkpoints nor a running service.
    document = make_service("nowhere").api.openapi()
    requests = []
    for path, method, operation in operations(document):
        if operation["tags"] == ["admin"]:
            continue  # needs a key: see test_service_reload.py
        query = {item["name"]: item["example"] for item in operation.get("parameters", []) if "example" in item}
        content = operation.get("requestBody", {}).get("content", {})
        bodies = [example["value"] for example in content.get("application/json", {}).get("examples", {}).values()]
        requests += [(method, path, query, body) for body in bodies or [None]]
    return requests


@pytest.mark.parametrize(("method", "path", "query", "body"), example_requests())
def test_example_is_answered_as_documented(client, document, method, path, query, body):
    """Every example, sent as it stands, is answered with 200 and the members that the document requires."""
    content = document["paths"][path][method]["responses"]["200"]["content"]

    for media_type in content:
        response = client.request(method, path, params=query, json=body, headers={"Accept": media_type})

        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].partition(";")[0] == media_type
        if media_type == "application/json":
            required = resolve(document, content[media_type]["schema"])["required"]
            assert set(required) <= set(response.json())


def test_every_model_route_has_an_example(document):
    """Routes with a body have examples of it; `/sample` has them in its parameters."""
    for path in ("/reconstruct", "/encode", "/decode", "/score", "/interpolate", "/compare"):
        assert document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert any("example" in item for item in document["paths"]["/sample"]["get"]["parameters"])


def test_problem_has_the_documented_members(client, document):
    """A problem document has just the members of its schema."""
    problem = client.get("/nothing").json()

    assert list(problem) == document["components"]["schemas"]["Problem"]["required"]


def test_example_picture_is_the_example_digit():
    """The PNG in base64 shows what the numbers show."""
    image = parse_picture(b64decode(DIGIT_PNG_BASE64), model=MODEL, limits=Limits(), invert=False, where="body")

    assert image.tolist() == digit_rows()
