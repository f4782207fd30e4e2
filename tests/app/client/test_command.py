"""`python -m app client`, as a process of its own against a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from app.client import Client
from app.client.command import cli
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
    ],
)
def test_errors_are_one_line_and_exit_with_1(url, words, message):
    """The line has the status and the server's sentence."""
    result = run(url, *words)

    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("out.xyz", "out.xyz: expected a name that ends in"),
        ("absent/out.png", "absent/out.png: absent is no folder that can be written: create it, or name another"),
        ("locked/out.png", "locked/out.png: locked is no folder that can be written"),
        ("locked/out.npy", "'locked/out.npy' is not writable"),
        ("file/out.png", "file/out.png: file is no folder"),
        ("folder.npy", "'folder.npy' is a directory"),
    ],
)
def test_result_that_cannot_be_written_is_a_usage_error(tmp_path, monkeypatch, out, message):
    """Nothing is sent for it."""
    monkeypatch.chdir(tmp_path)
    for name in ("locked", "folder.npy"):
        Path(name).mkdir()
    for name in ("file", "locked/out.npy"):
        Path(name).touch()
    allows = os.access

    def deny(path, mode):  # root may write everywhere
        return allows(path, mode) and (mode != os.W_OK or "locked" not in str(path))

    monkeypatch.setattr(os, "access", deny)

    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["sample", "--out", out, "--url", "http://127.0.0.1:9"])

    assert result.exit_code == 2
    assert message in result.stderr


NPY_LEAD = b"\x93NUMPY\x01\x00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": EOF: reading magic string.*: expected a whole npy file of numbers, as numpy.save writes it"),
        (b"PK\x03\x04", ": .*: expected a whole npy file"),
        (NPY_LEAD + b"\x04\x00{{{\n", ": .*: expected a whole npy file"),
        (np.zeros((28, 28), complex), " has the dtype complex128: expected floats, integers or booleans; convert it"),
        (np.array(["a"]), " has the dtype <U1: expected floats"),
        (np.array([None]), ": Object arrays .*: expected a whole npy file"),
        (np.zeros((0, 28, 28)), r" has the shape \(0, 28, 28\): expected at least one number"),
    ],
)
def test_npy_file_that_cannot_be_sent_is_named(tmp_path, content, message):
    """File, fault and advice are one line."""
    path = tmp_path / "a.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)

    result = CliRunner().invoke(cli, ["encode", str(path), "--url", "http://127.0.0.1:9"])

    assert result.exit_code == 1
    assert re.match(f"error: {re.escape(str(path))}{message}", result.stderr), result.stderr
    assert result.stderr.count("\n") == 1


def test_npy_files_that_are_cut_short_are_named(tmp_path):
    """Wherever it ends, and if its header says far more than a memory has."""
    np.save(tmp_path / "whole.npy", np.zeros((28, 28), np.float32))
    whole = (tmp_path / "whole.npy").read_bytes()
    huge = whole.replace(b"(28, 28), }" + b" " * 12, b"(99999999999999, 28), }")

    for content in (whole[:7], whole[:50], whole[:-1], huge):
        (tmp_path / "part.npy").write_bytes(content)
        result = CliRunner().invoke(cli, ["encode", str(tmp_path / "part.npy"), "--url", "http://127.0.0.1:9"])

        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {tmp_path}/part.npy: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("encode",), ("score",), ("reconstruct",)])
def test_full_disk_behind_stdout_is_one_line(url, digit, words, unbuffered):
    """Numbers and pictures that can't be written have no traceback."""
    command = [sys.executable, "-m", "app", "client", *words, str(digit), "--url", url]

    with Path("/dev/full").open("wb") as full:
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        result = subprocess.run(
            command, cwd=CHECKOUT, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert result.returncode == 1
    assert result.stderr.startswith("python -m app client: error: the output can't be written: No space left")
    assert result.stderr.count("\n") == 1


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
