"""The OpenAPI document: complete, valid, and true of the running service."""

import json
from base64 import b64decode

import pytest

from app.api.schemas.error_responses import ERROR_MEANINGS
from app.api.schemas.examples import DIGIT_PNG_BASE64, EXAMPLES, digit_rows
from app.codecs.image_files import decode_image
from app.problem_details import TITLES
from tests.support.app import MODEL, make_service
from tests.support.limits import make_limits

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
    "/models",
    "/models/{framework}/{name}/companion",
    "/admin/reload",
    "/admin/models/{framework}/{name}/promote",
    "/admin/models/{framework}/{name}/rollback",
    "/admin/models/{framework}/{name}/history",
]

ADMIN = {"reload", "promote_model", "roll_back_model", "model_history"}
"""Examples that need a key; `tests/docs/test_http_examples.py` sends them."""


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


def test_parameter_schemas_have_keywords_of_json_schema_alone(document):
    """The bounds of a number are `minimum` and `maximum`: Redocly refuses pydantic's `ge` and `le`."""
    known = {"type", "enum", "default", "minimum", "maximum", "exclusiveMinimum"}
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert set(parameter["schema"]) <= known, (path, parameter["name"])


def test_every_error_is_a_problem_document(document):
    """Each error status of each route has the schema of problem documents, and an example of its own."""
    responses = document["components"]["responses"]
    for _, _, operation in operations(document):
        for status, reference in operation["responses"].items():
            if status not in {"200", "304"}:
                content = responses[reference["$ref"].rpartition("/")[2]]["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["example"]["status"] == int(status)


def test_route_with_a_body_declares_the_errors_of_bodies(document):
    """A body may be malformed, slow, too large, or in an unknown encoding."""
    for path, _, operation in operations(document):
        assert ("requestBody" in operation) == ({"400", "408", "413", "415"} <= operation["responses"].keys()), path


def test_operation_ids_are_the_names_of_the_examples(document):
    """Each operation has a short unique ID, under which it has example requests."""
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert ids == list(EXAMPLES)


def test_option_has_a_default_in_one_place_only(document):
    """An option of the query and of the body declares no default, which generated clients would send in both."""
    for _, _, operation in operations(document):
        if "requestBody" in operation:
            assert not any("default" in parameter["schema"] for parameter in operation["parameters"])
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            assert not any("default" in option for option in schema.get("properties", {}).values())


@pytest.mark.parametrize("path", ["/reconstruct", "/encode", "/score", "/interpolate", "/compare"])
def test_every_readable_body_of_images_is_listed(document, path):
    """The body of a route of images is JSON, a form, any readable image format, npy, npz, or either undeclared."""
    content = document["paths"][path]["post"]["requestBody"]["content"]

    assert list(content) == [
        *("application/json", "multipart/form-data", "image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"),
        *("image/tiff", "image/avif", "image/heic"),
        *("application/x-npy", "application/x-npz", "application/octet-stream"),
    ]


def test_interpolate_takes_one_of_two_whole_bodies(document):
    """The body of `/interpolate` has two images or two latents, each a schema that stands alone."""
    schemas = document["components"]["schemas"]

    bodies = [resolve(document, reference) for reference in schemas["InterpolateRequest"]["oneOf"]]

    assert [body["required"] for body in bodies] == [["images"], ["latents"]]
    assert all("steps" in body["properties"] for body in bodies)


@pytest.mark.parametrize(
    ("keys", "security"),
    [("", [{}, {"bearer": []}, {"header": []}]), ("s3cret", [{"bearer": []}, {"header": []}])],
)
def test_security_is_declared_with_and_without_keys(keys, security):
    """Both schemes are always declared; without keys they are optional, and health checks need none."""
    document = make_service("nowhere", api_keys=keys).api.openapi()

    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
    assert document["security"] == security
    assert document["paths"]["/healthz"]["get"]["security"] == []
    admin = [item for _, _, item in operations(document) if item["tags"] == ["admin"]]
    assert {item["operationId"] for item in admin} == ADMIN
    assert all(item["security"] == [{"bearer": []}, {"header": []}] for item in admin)


def test_document_names_server_license_contact_and_tags(document):
    """Linters find a server, which is relative, a license, a contact, and each tag described."""
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}

    assert document["servers"][0]["url"] == "."
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert document["info"]["contact"]["name"]
    assert {tag["name"] for tag in document["tags"] if tag["description"]} == used


def test_retryable_errors_name_retry_after(document):
    """429 and 503, also of too many connections, declare when to try again."""
    for name in ("TooManyRequests", "ServiceUnavailable"):
        assert "Retry-After" in document["components"]["responses"][name]["headers"]
    assert "too many connections" in document["components"]["responses"]["ServiceUnavailable"]["description"]


def example_requests():
    """Return operation ID and request of every example that needs no key and no companion file."""
    absent = {*ADMIN, "model_companion"}
    return [(name, example) for name, examples in EXAMPLES.items() for example in examples if name not in absent]


@pytest.mark.parametrize(("name", "example"), example_requests())
def test_example_is_answered_as_documented(client, document, name, example):
    """Every example is answered with 200 and the members that the document requires, in every documented format."""
    operation = document["paths"][example.path][example.method.lower()]
    assert operation["operationId"] == name
    content = operation["responses"]["200"]["content"]

    for media_type in content:
        response = client.request(
            example.method,
            example.path,
            params=dict(example.query),
            json=example.body,
            headers={"Accept": media_type},
        )

        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].partition(";")[0] == media_type
        if media_type == "application/json":
            required = resolve(document, content[media_type]["schema"])["required"]
            assert set(required) <= set(response.json())


@pytest.mark.parametrize(
    "name",
    [name for name in EXAMPLES if name not in {*ADMIN, "metrics", "frameworks", "models", "model_companion"}],
)
def test_recorded_response_has_the_members_of_a_real_one(client, document, name):
    """The example response in the document has the members and the depth of arrays of a live one."""
    example = EXAMPLES[name][0]
    content = document["paths"][example.path][example.method.lower()]["responses"]["200"]["content"]

    response = client.request(example.method, example.path, params=dict(example.query), json=example.body)

    assert outline(content["application/json"]["example"]) == outline(response.json())


def outline(value):
    """Return the names of a JSON value's members, and the depth of its arrays."""
    if isinstance(value, dict):
        return {name: outline(member) for name, member in value.items()}
    return [outline(value[0])] if isinstance(value, list) and value else None


def test_problem_has_the_documented_members(client, document):
    """A problem document has just the members of its schema."""
    problem = client.get("/nothing").json()

    assert list(problem) == document["components"]["schemas"]["Problem"]["required"]


def test_example_picture_is_the_example_digit():
    """The PNG in base64 and the rows of numbers are the same image."""
    image = decode_image(b64decode(DIGIT_PNG_BASE64), model=MODEL, limits=make_limits(), invert=False, where="body")

    assert image.tolist() == digit_rows()


def test_every_error_status_has_a_meaning():
    """The guide's table has each status that the service sends, such as the 501 of unknown transfer codings."""
    assert list(ERROR_MEANINGS) == list(TITLES)


def test_description_shows_an_error_and_the_statuses_that_no_route_lists(document):
    """The description has the body of an error, and each status is in it or at a route."""
    description = document["info"]["description"]
    example = document["components"]["responses"]["UnprocessableContent"]["content"]["application/problem+json"]

    listed = {status for _, _, operation in operations(document) for status in operation["responses"]}

    assert json.loads(description.split("```")[1].removeprefix("json")) == example["example"]
    for status, meaning in ERROR_MEANINGS.items():
        assert (str(status) in listed) != (f"- {status}: {meaning}" in description)
