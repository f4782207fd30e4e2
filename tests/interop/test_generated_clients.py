"""Clients that generators make from `/openapi.json` call every route of a real service, with types checked."""

import json
import shutil
from pathlib import Path

from app.api.schemas.examples import DIGIT_PNG_BASE64
from tests.support.deployment.tool_environments import find_program, node_tools, python_tools, run_tool

PROGRAMS = Path(__file__).parent / "programs"


def test_openapi_python_client_calls_every_route(service, document, digit_file, tmp_path):
    """openapi-python-client's package passes mypy in strict use, and calls every route."""
    tools = python_tools("openapi-python-client", "openapi-python-client==0.29.1", "mypy==1.18.2")
    program = PROGRAMS / "python_client.py"
    package = tmp_path / "triptych_client"
    config = tmp_path / "config.yaml"
    config.write_text("post_hooks: []\n")  # a ruff on the PATH would rewrite types, by rules of its own version
    options = ["--path", document, "--output-path", package, "--config", config, "--meta=none"]
    run_tool([tools / "openapi-python-client", "generate", *options])

    run_tool([tools / "mypy", "--strict", program], cwd=tmp_path, MYPYPATH=str(tmp_path))
    arguments = [service.url, service.key, digit_file, DIGIT_PNG_BASE64]
    run_tool([tools / "python", program, *arguments], PYTHONPATH=str(tmp_path))


def test_openapi_generator_calls_every_route(service, document, tmp_path):
    """openapi-generator's Python package, which checks types with pydantic, calls every route."""
    find_program("java")
    tools = python_tools(
        "openapi-generator",
        "openapi-generator-cli==7.26.0",
        "pydantic==2.12.3",
        "python-dateutil==2.9.0.post0",
        "urllib3==2.5.0",
    )
    options = "--additional-properties=packageName=triptych_generated,generateSourceCodeOnly=true"
    run_tool([tools / "openapi-generator-cli", "generate", "-g", "python", "-i", document, "-o", tmp_path, options])

    program = PROGRAMS / "generator_client.py"
    run_tool([tools / "python", program, service.url, service.key, DIGIT_PNG_BASE64], PYTHONPATH=str(tmp_path))


def test_openapi_fetch_calls_every_route(service, document, digit_file, tmp_path):
    """A program with openapi-typescript's types and openapi-fetch passes tsc --strict, and calls every route."""
    node = find_program("node")
    tools = node_tools(
        "openapi-typescript",
        "openapi-typescript@7.13.0",
        "openapi-fetch@0.17.0",
        "typescript@5.9.3",
        "@types/node@20.19.0",
    )
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    (tmp_path / "package.json").write_text(json.dumps({"type": "module"}))
    shutil.copy(PROGRAMS / "client.ts", tmp_path)
    run_tool([tools / "node_modules/.bin/openapi-typescript", document, "-o", tmp_path / "schema.d.ts"])

    options = ["--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext"]
    run_tool([tools / "node_modules/.bin/tsc", *options, "client.ts"], cwd=tmp_path)
    arguments = [service.url, service.key, digit_file, DIGIT_PNG_BASE64]
    run_tool([node, "client.js", *arguments], cwd=tmp_path)
