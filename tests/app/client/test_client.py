"""`app.client`: arrays, PIL images and paths in, NumPy out, through a real server; retries within the deadline."""

import asyncio
import json
import subprocess
import sys

import httpx
import numpy as np
import pytest
from PIL import Image

from app.client import AsyncClient, Client, ResponseError
from tests.support.app import make_service, running

SEED = 7


@pytest.fixture(scope="module")
def url(checkpoints):
    """The address of a service whose three frameworks are ready."""
    with running(make_service(checkpoints)) as http:
        yield str(http.base_url)


@pytest.fixture(scope="module")
def images():
    """Three images in [0, 1]."""
    return np.random.default_rng(0).random((3, 28, 28), dtype=np.float32)


@pytest.fixture
def client(url):
    """A client of the service."""
    with Client(url, framework="pytorch") as client:
        yield client


def test_reconstruct_returns_the_arrays_of_the_route(client, url, images):
    """The probabilities, and any other output by its name, are those of the JSON response."""
    expected = httpx.post(f"{url}/reconstruct?framework=pytorch&seed={SEED}", json={"images": images.tolist()}).json()

    probs = client.reconstruct(images, seed=SEED)
    elbo = client.reconstruct(images, seed=SEED, output="elbo")

    np.testing.assert_allclose(probs, expected["probs"], atol=1e-5)
    np.testing.assert_allclose(elbo, expected["elbo"], rtol=1e-5)


def test_arrays_pil_images_and_paths_give_the_same_means(client, tmp_path):
    """A uint8 array, PIL images, PNG files, an npy and an npz file of the same pixels are the same images."""
    pixels = np.random.default_rng(1).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    pictures = [Image.fromarray(image) for image in pixels]
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    np.save(tmp_path / "images.npy", pixels)
    np.savez(tmp_path / "images.npz", pixels)

    files = tmp_path / "images.npy", tmp_path / "images.npz"
    means = [client.encode(inputs).mean for inputs in (pixels, pictures, paths, *files)]

    for mean in means[1:]:
        np.testing.assert_allclose(mean, means[0], atol=1e-5)


def test_every_method_returns_numpy_of_the_documented_shapes(client, images):
    """Batch first everywhere; the optional arrays of a score are there with several samples only."""
    posterior = client.encode(images)
    score, bound = client.score(images), client.score(images, samples=4, seed=SEED)
    comparison = client.compare(images, seed=SEED)

    assert posterior.mean.shape == posterior.logvar.shape == (3, 20)
    assert client.decode(posterior.mean).shape == (3, 28, 28)
    assert client.sample(5, seed=SEED).shape == (5, 28, 28)
    assert client.sample(5, seed=SEED, output="latents").shape == (5, 20)
    assert client.interpolate(images[:2], steps=4).shape == (4, 28, 28)
    assert client.interpolate(latents=posterior.mean[:2], steps=4).shape == (4, 28, 28)
    assert score.kl_per_dimension.shape == (3, 20)
    assert score.iwae is None
    assert score.effective_samples is None
    assert bound.iwae is not None
    assert bound.iwae.shape == (3,)
    assert bound.effective_samples is not None
    assert ((bound.effective_samples >= 1) & (bound.effective_samples <= 4)).all()
    assert set(comparison.probs) == {entry["framework"] for entry in client.frameworks()["frameworks"]}
    assert comparison.seed == SEED


def test_async_client_returns_what_the_client_does(client, url, images):
    """Eight calls at once give the same as one."""
    expected = client.reconstruct(images, seed=SEED)

    async def reconstruct():
        async with AsyncClient(url, framework="pytorch") as asynchronous:
            return await asyncio.gather(*(asynchronous.reconstruct(images, seed=SEED) for _ in range(8)))

    for probs in asyncio.run(reconstruct()):
        np.testing.assert_allclose(probs, expected, atol=1e-5)


def test_error_carries_the_problem_document(client, images):
    """A request that can't succeed isn't repeated; its error has status, sentence and request ID."""
    with pytest.raises(ResponseError, match="422: .*output") as caught:
        client.reconstruct(images, output="nothing")

    assert caught.value.status == 422
    assert caught.value.problem["title"]
    assert caught.value.request_id


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "RGBa", "La"])
def test_pil_images_of_modes_that_png_lacks_are_converted(client, mode):
    """A picture of Pillow's other color modes has the mean of its RGB version."""
    picture = Image.fromarray(np.full((28, 28, 3), 128, np.uint8))
    converted = picture.convert({"RGBa": "RGBA", "La": "LA"}.get(mode, mode)).convert(mode)

    np.testing.assert_allclose(client.encode(converted).mean, client.encode(picture).mean, atol=1e-4)


def test_pil_image_is_sent_upright(client, tmp_path):
    """The orientation in a photo's EXIF data counts for an opened file as for its path."""
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 256, (28, 28), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "side.png", exif=exif)

    with Image.open(tmp_path / "side.png") as opened:
        np.testing.assert_array_equal(client.encode(opened).mean, client.encode(tmp_path / "side.png").mean)


def test_deadline_may_be_infinite(client, images):
    """No limit is a limit, too."""
    with Client(str(client._http.base_url), deadline_s=float("inf")) as patient:
        assert patient.encode(images).mean.shape == (3, 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.zeros((28, 28)), "digit.png"],), "mixes arrays with image files"),
        (([],), "the array has the shape \\(0,\\): expected at least one number"),
        ((np.zeros((28, 28), complex),), "the array has the dtype complex128: expected floats, integers or booleans"),
        ((Image.new("F", (28, 28)),), "has the mode F"),
    ],
)
def test_wrong_arguments_are_value_errors(client, arguments, message):
    """They are found before anything is sent."""
    with pytest.raises(ValueError, match=message):
        client.encode(*arguments)


def test_interpolate_takes_images_or_latents(client):
    """Neither is as wrong as both."""
    with pytest.raises(ValueError, match="two images, or latents="):
        client.interpolate()


def test_import_brings_no_server_and_no_framework():
    """Importing the client imports neither FastAPI nor a framework."""
    unwanted = ["fastapi", "starlette", "uvicorn", "pydantic", "jax", "tensorflow", "torch"]
    script = f"import app.client, sys, json; print(json.dumps([m for m in {unwanted} if m in sys.modules]))"

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert json.loads(result.stdout) == []


@pytest.mark.parametrize(("mode", "order"), [("I;16", "<"), ("I;16L", "<"), ("I;16B", ">")])
def test_pil_images_of_16_bits_are_sent_in_any_byte_order(client, mode, order):
    """The means are those of the same shades in 8 bits."""
    shades = np.arange(784).reshape(28, 28) % 256
    picture = Image.frombytes(mode, (28, 28), (shades * 257).astype(f"{order}u2").tobytes())

    np.testing.assert_allclose(
        client.encode(picture).mean, client.encode(Image.fromarray(shades.astype("u1"))).mean, atol=1e-5
    )
