"""Hostile and odd requests through the front door: each has its status, its sentence, and leaves the server serving."""

import re

import numpy as np
import pytest

from tests.hostile import image_files, json, npy, routes, transfer
from tests.hostile.base import IMAGE, MAX_BODY_BYTES, MAX_IMAGES
from tests.support.app import assert_problem, make_service, post_npy, running

CORPORA = (json, npy, image_files, transfer, routes)

REQUESTS = [request for corpus in CORPORA for request in corpus.REQUESTS]

REFUSED = [request for request in REQUESTS if request.status != 200]

ANSWERED = [request for request in REQUESTS if request.status == 200]

LONGEST_SENTENCE = 1000


@pytest.fixture(scope="module")
def target(checkpoints):
    """A client of a service with small limits."""
    limits = {"max_body_bytes": MAX_BODY_BYTES, "max_images": MAX_IMAGES}
    with running(make_service(checkpoints, frameworks="jax", **limits)) as client:
        yield client


def name_of(request):
    """Return what a request is called."""
    return request.name


def encode(client, images):
    """Return the means of images."""
    return np.array(post_npy(client, "/encode", images).json()["mean"])


@pytest.fixture(scope="module")
def expected(target):
    """Means of an image, before anything hostile was sent."""
    return encode(target, IMAGE)


@pytest.mark.parametrize("request_", REFUSED, ids=name_of)
def test_hostile_request_is_refused_in_a_sentence(target, expected, request_):
    """Its answer says what was wrong and what to do, and the next request is answered as ever."""
    response = target.post(request_.url, content=request_.content, headers=request_.headers)

    assert_problem(response, request_.status)
    detail = response.json()["detail"]
    assert request_.words in detail
    assert re.search(r": |; ", detail), "nothing says what was expected, or what to do"
    assert len(detail) <= LONGEST_SENTENCE
    np.testing.assert_array_equal(encode(target, IMAGE), expected)


@pytest.mark.parametrize("request_", ANSWERED, ids=name_of)
def test_odd_request_is_answered_as_what_it_stands_for(target, request_):
    """A body that is right, however odd, gets the answer of the plain array that it stands for."""
    response = target.post(request_.url, content=request_.content, headers=request_.headers)

    assert response.status_code == 200, response.text
    if request_.images is not None:
        means = encode(target, request_.images)
        np.testing.assert_allclose(response.json()["mean"], means, rtol=0, atol=request_.tolerance)
