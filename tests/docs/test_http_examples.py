"""The examples of the HTTP reference: each request, as curl and as Python, prints what its route returns."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from app.api.schemas.examples import EXAMPLES
from tests.support.app import CHECKOUT, MODEL, make_service, running, save_checkpoints
from tests.support.models.named_models import save_model
from tests.support.runs import make_dataset
from training.checkpoints.model_files import ModelFile
from training.reporting.companion import write_companions

KEY = "first-key"

PROMOTION, ROLLBACK = (EXAMPLES[name][0] for name in ("promote_model", "roll_back_model"))


@pytest.fixture(scope="module")
def snippets():
    """The module that writes the examples, imported as mkdocs does."""
    sys.path.insert(0, str(CHECKOUT / "docs" / "hooks"))
    yield import_module("http_snippets")
    sys.path.remove(str(CHECKOUT / "docs" / "hooks"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder in which a reader runs the examples: with a trained model, and others in service."""
    folder = tmp_path_factory.mktemp("reader")
    served = save_checkpoints(folder / "checkpoints")
    write_companions(ModelFile(served, *ROLLBACK.model), make_dataset(image_shape=MODEL.image_shape))
    save_model(folder / "runs", "model", "pytorch", MODEL, seed=9)
    return folder


@pytest.fixture(scope="module")
def locked_client(folder):
    """A client of a service with an API key."""
    with running(make_service(folder / "checkpoints", api_keys=KEY)) as client:
        client.headers["X-API-Key"] = KEY
        yield client


@pytest.fixture
def unchanged(locked_client, folder, name):
    """Have something to roll back if the example does, and undo an example's promotion."""
    if name == "roll_back_model":
        content = (folder / PROMOTION.file).read_bytes()
        assert locked_client.post(PROMOTION.target, content=content).status_code == 200
    yield
    if name == "promote_model":
        assert locked_client.post(ROLLBACK.target).status_code == 200


@pytest.mark.parametrize("language", ["curl", "python"])
@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.usefixtures("unchanged")
def test_example_prints_the_response(locked_client, folder, snippets, name, language):
    """The first example of each route runs as it stands, and prints a response."""
    code = getattr(snippets, language)(EXAMPLES[name][0], key=KEY)
    code = code.replace(snippets.ADDRESS, str(locked_client.base_url))
    command = ["sh", "-c", code] if language == "curl" else [sys.executable, "-c", code]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=folder)

    assert done.returncode == 0, done.stderr
    if name == "metrics":
        assert "triptych_" in done.stdout
    elif language == "curl":
        assert json.loads(done.stdout)
    else:
        assert done.stdout.startswith("{'")
