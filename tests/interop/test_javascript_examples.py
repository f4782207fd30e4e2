"""The JavaScript examples of the HTTP reference: each runs in Node.js as it stands, and prints its route's response."""

import shutil
import sys
from importlib import import_module

import pytest

from app.api.schemas.examples import EXAMPLES
from tests.support.deployment.tool_environments import find_program, run_tool
from tests.support.live_service import CHECKOUT

BETTER = CHECKOUT / "checkpoints" / "jax" / "model.safetensors"
"""A better checkpoint than the one that the examples replace."""


@pytest.fixture(scope="module")
def snippets():
    """The module that writes the examples, imported as mkdocs does."""
    sys.path.insert(0, str(CHECKOUT / "docs" / "hooks"))
    yield import_module("http_snippets")
    sys.path.remove(str(CHECKOUT / "docs" / "hooks"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_prints_the_response(service, snippets, tmp_path, name):
    """The first example of each route is a module that prints the response."""
    example, promotion = EXAMPLES[name][0], EXAMPLES["promote_model"][0]
    if name == "roll_back_model":
        assert service.client.post(promotion.target, content=BETTER.read_bytes()).is_success
    if example.file is not None:
        (tmp_path / example.file).parent.mkdir(parents=True)
        shutil.copy(BETTER, tmp_path / example.file)
    module = tmp_path / "example.mjs"
    code = snippets.javascript(example, key=service.key)
    module.write_text(code.replace(snippets.ADDRESS, service.url), encoding="utf-8")

    printed = run_tool([find_program("node"), module], cwd=tmp_path)

    assert "triptych_" in printed if name == "metrics" else printed.startswith("{")
