"""`python -m app client`, as a process of its own against a real server."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app.client import Client
from tests.support.app import CHECKOUT, make_service, running


@pytest.fixture(scope="module")
def url(checkpoints):
    """The address of a service whose three frameworks are ready."""
    with running(make_service(checkpoints)) as http:
        yield str(http.base_url)


@pytest.fixture(scope="module")
def digit(tmp_path_factory):
    """An image file."""
    path = tmp_path_factory.mktemp("images") / "digit.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)).save(path)
    return path


def run(url, *arguments):
    """Run a command and return its result."""
    return subprocess.run(
        [sys.executable, "-m", "app", "client", *map(str, arguments), *(["--url", url] if url else [])],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_reconstruct_writes_the_picture_that_the_api_returns(url, digit, tmp_path):
    """The npy file is the API's array; the PNG is the same, enlarged."""
    with Client(url) as client:
        expected = client.reconstruct(digit, framework="jax", seed=7)

    for name in ("out.npy", "out.png"):
        result = run(url, "reconstruct", digit, "--framework", "jax", "--seed", 7, "--scale", 2, "-o", tmp_path / name)
        assert result.returncode == 0, result.stderr

    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)
    pixels = np.asarray(Image.open(tmp_path / "out.png"))
    assert pixels.shape == (56, 56)
    np.testing.assert_allclose(pixels[::2, ::2] / 255, expected[0], atol=1 / 255)


def test_pictures_are_shown_where_no_file_is_named(url, digit):
    """Every command with pictures draws them in characters; two pixel rows take one line."""
    for arguments in (("reconstruct", digit), ("sample", "-n", 2), ("interpolate", digit, digit, "--steps", 3)):
        result = run(url, *arguments)

        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) >= 14


def test_numbers_are_printed_as_json(url, digit):
    """`encode` and `score` can be piped into other programs."""
    encoded = json.loads(run(url, "encode", digit).stdout)
    scored = json.loads(run(url, "score", digit, "--samples", 3).stdout)

    assert np.shape(encoded["mean"]) == (1, 20)
    assert np.shape(scored["iwae"]) == (1,)


def test_centre_is_an_option_of_every_command_with_files(url):
    """`--centre` finds the ink of the README's photo, and that it is dark on light."""
    photo = CHECKOUT / "docs" / "images" / "photo.jpg"
    with Client(url) as client:
        expected = client.encode(photo, centre=True).mean
        score = client.score(photo, centre=True, seed=1).elbo

    encoded = json.loads(run(url, "encode", photo, "--centre").stdout)
    inverted = json.loads(run(url, "encode", photo, "--centre", "--invert").stdout)

    np.testing.assert_allclose(encoded["mean"], expected, atol=1e-6)
    np.testing.assert_allclose(inverted["mean"], expected, atol=1e-6)
    assert json.loads(run(url, "score", photo, "--centre", "--seed", 1).stdout)["elbo"] == pytest.approx(score.tolist())
    for arguments in (["reconstruct", photo], ["interpolate", photo, photo], ["compare", photo]):
        assert run(url, *arguments, "--centre").returncode == 0


def test_compare_names_frameworks_and_differences(url, digit):
    """One paragraph a framework, one line a pair."""
    output = run(url, "compare", digit, "--seed", 1).stdout

    assert "jax: ELBO" in output
    assert "largest pixel difference, jax-tensorflow:" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sample", "--framework", "mxnet"), "error: 422: "),
        (("sample", "-n", 100_000), "error: 422: "),
        (("reconstruct", __file__), "error: 400: "),
        (("sample", "--out", "/no/such/folder/out.png"), "error: "),
    ],
)
def test_errors_are_one_line_and_exit_with_1(url, words, message):
    """The line has the status and the server's sentence."""
    result = run(url, *words)

    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_file_of_another_kind_is_a_usage_error():
    """Nothing is sent for a result that can't be written."""
    result = run("http://127.0.0.1:9", "sample", "--out", "out.xyz")

    assert result.returncode == 2
    assert "out.xyz: expected a name that ends in" in result.stderr


def test_address_that_is_none_is_one_line():
    """An address that can't be parsed is named without a traceback."""
    result = run("http://[::1", "sample")

    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_unreachable_service_is_named(digit):
    """The line of a refused connection names the cause."""
    result = run("http://127.0.0.1:9", "encode", digit)

    assert result.returncode == 1
    assert "refused" in result.stderr
