"""Arrays of any shape, type, order and value: each is answered as by the oracle in NumPy, or with the right error."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from tests.support.app import MODEL, assert_problem, npy, post_npy
from tests.support.models.numpy_reference import forward
from training.checkpoints.checkpoint import load_checkpoint

IMAGE_SHAPES = [(784,), (28, 28)]

NPY = {"Content-Type": "application/x-npy"}

FLOATS = st_numpy.floating_dtypes(sizes=(16, 32, 64))

shapes = st.one_of(
    st.builds(lambda lead, shape: lead + shape, st.sampled_from([(), (1,), (2,), (3,)]), st.sampled_from(IMAGE_SHAPES)),
    st_numpy.array_shapes(min_dims=0, max_side=30),
    st.sampled_from([(0, 784), (1, 0), (2, 28), (784, 1), (1, 1, 28, 28), (28, 29), (2, 783)]),
)

dtypes = st.one_of(FLOATS, st_numpy.scalar_dtypes())

orders = st.sampled_from(["C", "F"])


def pixels(dtype):
    """Return a strategy of items: those of an image where the type has such, or any."""
    if dtype.kind != "f":
        return st_numpy.from_dtype(dtype)
    within = st.floats(0, 1, width=dtype.itemsize * 8)
    return st.one_of(within, within, within, st_numpy.from_dtype(dtype))


@st.composite
def arrays(draw, dtypes=dtypes, shapes=shapes, elements=pixels):
    """Return a strategy of arrays, most of whose items are the same."""
    dtype = draw(dtypes)
    items = elements(dtype)
    array = draw(st_numpy.arrays(dtype, draw(shapes), elements=items, fill=items))
    return np.asarray(array, order=draw(orders))


def images_in(array):
    """Return the images that an array holds, as the documentation has it, or None."""
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        return None
    if array.shape not in IMAGE_SHAPES and (array.shape[1:] not in IMAGE_SHAPES or len(array) == 0):
        return None
    images = array.astype(np.float64).reshape(-1, 784)
    if array.dtype == np.uint8:
        return images / 255
    return images if ((images >= 0) & (images <= 1)).all() else None


@pytest.fixture(scope="module")
def weights(checkpoints):
    """The weights that JAX serves, in float64."""
    checkpoint = load_checkpoint(checkpoints / "jax" / "model.safetensors")
    return {name: array.astype(np.float64) for name, array in checkpoint.weights.items()}


@settings(max_examples=50)
@given(array=arrays())
def test_any_array_is_encoded_as_by_the_oracle_or_refused(client, weights, array):
    """Images give means and variances; anything else is 422, with a sentence that says what is expected."""
    response = post_npy(client, "/encode?framework=jax", array)

    images = images_in(array)
    if images is None:
        assert_problem(response, 422)
        assert "expected" in response.json()["detail"]
        return
    assert response.status_code == 200, response.text
    expected = forward(weights, images, eps=0)
    for name in ("mean", "logvar"):
        np.testing.assert_allclose(response.json()[name], expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


@settings(max_examples=50)
@given(array=arrays(dtypes=FLOATS), seed=st.integers(0, 2**63 - 1))
def test_json_and_npy_are_answered_alike(client, array, seed):
    """The same numbers have the same answer bit for bit, or the same status, whichever way they come and go."""
    url = f"/reconstruct?framework=jax&seed={seed}"
    as_npy = post_npy(client, url, array)
    text = json.dumps({"images": array.tolist()})

    as_json = client.post(url, content=text, headers={"Content-Type": "application/json"})

    if not np.isfinite(array).all():
        assert {as_npy.status_code, as_json.status_code} <= {400, 422}
        return
    assert as_json.status_code == as_npy.status_code
    if as_json.status_code == 200:
        assert as_json.json() == as_npy.json()
        probs = client.post(url, content=npy(array), headers=NPY | {"Accept": "application/x-npy"})
        assert probs.content[-784 * 4 :] == np.array(as_json.json()["probs"][-1], "<f4").tobytes()


@settings(max_examples=50)
@given(
    array=arrays(
        dtypes=st.one_of(FLOATS, st_numpy.integer_dtypes()),
        shapes=st.sampled_from([(20,), (1, 20), (3, 20), (2, 19), (1, 1, 20), (0, 20)]),
        elements=st_numpy.from_dtype,
    )
)
def test_any_latents_are_decoded_alike_or_refused(client, weights, array):
    """Finite latents of the right shape are decoded as by the oracle, from npy and from JSON; others are 422."""
    as_npy = post_npy(client, "/decode?framework=jax", array)
    text = json.dumps({"latents": array.tolist()})

    as_json = client.post("/decode?framework=jax", content=text, headers={"Content-Type": "application/json"})

    with np.errstate(over="ignore", invalid="ignore"):
        latents = array.astype(np.float32)
    if array.ndim > 2 or array.size == 0 or array.shape[-1] != MODEL.latent_dim or not np.isfinite(latents).all():
        assert_problem(as_npy, 422)
        assert as_json.status_code in {400, 422}
        return
    if as_npy.status_code == 422:  # the model itself comes to no finite numbers
        assert "finite" in as_npy.json()["detail"]
        assert np.abs(latents).max() > 1e30
        return
    assert as_json.json() == as_npy.json()
    hidden = np.maximum(latents.reshape(-1, 20) @ weights["decoder.hidden.kernel"] + weights["decoder.hidden.bias"], 0)
    logits = hidden @ weights["decoder.logits.kernel"] + weights["decoder.logits.bias"]
    probs = (1 + np.tanh(logits / 2)) / 2
    if np.abs(latents).max() < 10:
        np.testing.assert_allclose(np.reshape(as_json.json()["probs"], (-1, 784)), probs, rtol=1e-4, atol=1e-4)
