"""The ways into and out of the real service: on each, the same numbers have the same answer."""

import gzip
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.support.app import npy, post_npy, read_npy
from training.data import TEST_SEED, binarize, load_dataset
from training.frameworks import FRAMEWORKS

NPY = {"Content-Type": "application/x-npy"}

GZIP = NPY | {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def images():
    """Test digits, whose pixels are float32 numbers of many digits."""
    digits = binarize(load_dataset("mnist").test[:300], target="fixed", seed=TEST_SEED)
    return digits * np.linspace(0.1, 1, digits.shape[1], dtype=np.float32)


def post_json(client, url, images):
    """Post images as numbers in JSON."""
    return client.post(url, json={"images": images.tolist()})


def post_rows(client, url, images):
    """Post images as rows of numbers in JSON."""
    return post_json(client, url, images.reshape(-1, 28, 28))


def post_chunks(client, url, images):
    """Post an npy file piece by piece, without a length."""
    body = npy(images)
    return client.post(url, content=(body[start : start + 999] for start in range(0, len(body), 999)), headers=NPY)


def post_gzip(client, url, images):
    """Post a compressed npy file of float64 in Fortran order."""
    return client.post(url, content=gzip.compress(npy(np.asfortranarray(images, np.float64)), 1), headers=GZIP)


@pytest.mark.parametrize("count", [1, 3, 40, 300])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_way_in_and_out_gives_the_same_bits(live_client, images, framework, count):
    """On an idle server JSON and npy, in one piece or in many, come to bit-identical numbers, as JSON and as npy."""
    url = f"/reconstruct?framework={framework}&seed=7"
    expected = post_npy(live_client, url, images[:count]).json()

    for post in (post_json, post_rows, post_chunks, post_gzip):
        assert post(live_client, url, images[:count]).json() == expected, post.__name__
    for name in ("probs", "mean", "elbo"):
        array = read_npy(post_npy(live_client, f"{url}&format=npy&output={name}", images[:count]))
        np.testing.assert_array_equal(array, np.array(expected[name], np.float32), err_msg=name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_way_in_gives_the_same_within_rounding_whatever_shares_the_batch(live_client, images, framework):
    """Under load, with others of all sizes in the same batches, each is within 1e-5 of what it gets alone."""
    url = f"/reconstruct?framework={framework}&seed=7"
    requests = [(post, count) for count in (1, 5, 60) for post in (post_npy, post_json, post_chunks, post_gzip)] * 3
    alone = post_npy(live_client, url, images[:60]).json()

    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda way: way[0](live_client, url, images[: way[1]]).json(), requests))

    for (_, count), answer in zip(requests, answers, strict=True):
        for name in ("probs", "mean", "logvar"):
            np.testing.assert_allclose(answer[name], alone[name][:count], rtol=0, atol=1e-5, err_msg=name)
