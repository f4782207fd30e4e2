"""Which model the client's calls and commands name: framework, name and weights, by call or for all calls."""

import asyncio
import json

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from app.client import AsyncClient, Client
from app.client.command import cli
from tests.support.app import make_service, running, save_checkpoints, save_snapshots
from tests.support.models.named_models import save_models
from training.checkpoints.model_files import ModelFile
from training.frameworks import FRAMEWORKS


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a service with several models of JAX, of two shapes."""
    with running(make_service(save_models(tmp_path_factory.mktemp("models")))) as http:
        yield str(http.base_url)


def test_calls_and_clients_choose_a_model_by_name(url):
    """A call's model wins over the client's, for every kind of response."""
    with Client(url, framework="jax", model="cats") as client:
        shapes = [client.sample(2).shape, client.decode([[0, 0, 0]]).shape, client.sample(2, model="model").shape]
        expected = httpx.get(f"{url}/sample?framework=jax&model=dogs&seed=1").json()["probs"]
        dogs = client.sample(seed=1, model="dogs")
        score = client.score(np.zeros((2, 4, 9), np.uint8))

    assert shapes == [(2, 4, 9), (1, 4, 9), (2, 28, 28)]
    np.testing.assert_allclose(dogs, expected, atol=1e-6)
    assert score.kl_per_dimension.shape == (2, 3)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_any_framework_computes_with_named_weights(url, framework):
    """`weights="jax"` gives JAX's pictures in every framework, sync and async, and in a comparison."""

    async def sample():
        async with AsyncClient(url, weights="jax") as client:
            return await client.sample(seed=3, framework=framework, model="cats")

    with Client(url, framework=framework) as client:
        expected = client.sample(seed=3, framework="jax", model="cats")
        samples = client.sample(seed=3, model="cats", weights="jax")
        compared = client.compare(np.zeros((1, 4, 9)), model="cats", weights="jax")

    np.testing.assert_allclose(samples, expected, atol=1e-5)
    np.testing.assert_allclose(asyncio.run(sample()), expected, atol=1e-5)
    assert framework in compared.probs
    assert compared.unavailable == {}


@pytest.mark.parametrize(
    "words",
    [("sample", "--framework", "tf"), ("encode",), ("score",), ("reconstruct",), ("interpolate",), ("compare",)],
)
def test_every_command_takes_model_and_weights(url, words, tmp_path):
    """`--model` and `--weights` are options of every command."""
    np.save(tmp_path / "images.npy", np.zeros((2, 4, 9), np.uint8))
    files = [] if words[0] == "sample" else [str(tmp_path / "images.npy")]

    result = CliRunner().invoke(cli, [*words, *files, "--model", "cats", "--weights", "jax", "--url", url])

    assert result.exit_code == 0, result.output
    if words[0] == "encode":
        assert np.shape(json.loads(result.stdout)["mean"]) == (2, 3)


@pytest.fixture
def learning_url(tmp_path):
    """The address of a service whose checkpoints have snapshots of epochs 0 and 5."""
    save_checkpoints(tmp_path)
    for framework in FRAMEWORKS:
        save_snapshots(ModelFile(tmp_path, framework))
    with running(make_service(tmp_path)) as http:
        yield str(http.base_url)


def test_calls_clients_and_commands_choose_an_epoch(learning_url, tmp_path):
    """The weights are those of the run after that epoch; for an unknown one, the error lists those there are."""
    expected = httpx.get(f"{learning_url}/sample?seed=1&epoch=5").json()["probs"]
    out = tmp_path / "samples.npy"

    async def sample():
        async with AsyncClient(learning_url, epoch=5) as client:
            return await client.sample(seed=1)

    with Client(learning_url) as client:
        samples, last = client.sample(seed=1, epoch=5), client.sample(seed=1)
    arguments = ["sample", "-n", "1", "--seed", "1", "--epoch", "5", "--out", str(out), "--url", learning_url]
    typed = CliRunner().invoke(cli, arguments)
    refused = CliRunner().invoke(cli, ["sample", "--epoch", "3", "--url", learning_url])

    np.testing.assert_allclose(samples, expected, atol=1e-6)
    np.testing.assert_allclose(asyncio.run(sample()), expected, atol=1e-6)
    assert not np.allclose(last, expected)
    assert typed.exit_code == 0, typed.output
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)
    assert "404: " in refused.output
    assert "0, 5" in refused.output


def test_unknown_model_is_an_error_in_one_line(url):
    """The line lists the models that there are."""
    result = CliRunner().invoke(cli, ["sample", "--framework", "jax", "--model", "birds", "--url", url])

    assert result.exit_code == 1
    assert "404: " in result.output
    assert "model, cats, dogs" in result.output
