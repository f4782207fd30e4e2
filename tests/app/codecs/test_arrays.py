"""`app.codecs.arrays`: valid arrays become float32, and errors name the invalid value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from app.codecs.arrays import as_image, as_images, as_latents
from app.errors import InvalidValueError, TooLargeError
from tests.support.limits import make_limits
from training.config import ModelConfig

# Not square, so that height and width can't be mistaken for each other.
MODEL = ModelConfig(image_shape=(2, 3), latent_dim=4)
LIMITS = make_limits(max_images=5)
RAMP = np.linspace(0, 1, 6, dtype=np.float32)


def images(array, where="body.images"):
    """Check images with the model and limits that these tests share."""
    return as_images(array, model=MODEL, limits=LIMITS, where=where)


def latents(array, where="body.latents"):
    """Check latents with the model and limits that these tests share."""
    return as_latents(array, model=MODEL, limits=LIMITS, where=where)


def fault(caught):
    """Return where and why of the only wrong value."""
    (error,) = caught.value.errors
    assert str(caught.value) == f"{error.where} {error.why}"
    return error.where, error.why


@pytest.mark.parametrize(
    ("shape", "count"), [((6,), 1), ((2, 3), 1), ((1, 6), 1), ((4, 6), 4), ((1, 2, 3), 1), ((4, 2, 3), 4), ((5, 6), 5)]
)
def test_images_of_every_shape(shape, count):
    """One image or several, flat or in rows, become rows of pixels in the same order."""
    array = np.random.default_rng(0).random(shape, dtype=np.float32)

    result = images(array)

    assert result.shape == (count, 6)
    assert result.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", np.longdouble])
@pytest.mark.parametrize("order", ["C", "F"])
def test_images_of_floats(dtype, order):
    """Any float type, byte order and memory order becomes contiguous native float32."""
    array = np.stack([RAMP, RAMP[::-1]]).astype(dtype, order=order)

    result = images(array)

    assert result.dtype == np.float32
    assert result.dtype.isnative
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, array.astype(np.float32))


def test_images_of_bytes():
    """Values of uint8 are 0..255, and divided by 255, even where all are 0 or 1."""
    result = images(np.array([[0, 1, 51, 128, 254, 255]], np.uint8))

    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.array([[0, 1, 51, 128, 254, 255]], np.float32) / np.float32(255))


def test_images_leave_their_argument_alone():
    """The given array is neither changed nor needs to be writable."""
    array = np.stack([RAMP, RAMP])
    array.flags.writeable = False

    result = images(array)

    assert np.shares_memory(result, array)


@pytest.mark.parametrize(
    "shape", [(), (5,), (3, 2), (2, 5), (3, 27, 28), (1, 1, 2, 3), (0, 5), (0, 1, 2, 3), (6, 1), (3, 0)]
)
def test_images_of_wrong_shape(shape):
    """Another shape is refused, with the shape found and all that are accepted."""
    with pytest.raises(InvalidValueError) as caught:
        images(np.zeros(shape, np.float32))

    assert fault(caught) == (
        "body.images",
        f"has shape {shape}: expected (n, 6), (n, 2, 3), or one image of (6,) or (2, 3)",
    )


def test_images_of_the_contract_when_the_shape_is_wrong():
    """The message for a model of 28 x 28 is the one the documentation shows."""
    with pytest.raises(InvalidValueError) as caught:
        as_images(np.zeros((3, 27, 28)), model=ModelConfig(), limits=make_limits(), where="body.images")

    assert str(caught.value) == (
        "body.images has shape (3, 27, 28): expected (n, 784), (n, 28, 28), or one image of (784,) or (28, 28)"
    )


@pytest.mark.parametrize("shape", [(6, 6), (6, 2, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_over_the_limit(shape, dtype):
    """More images than the limit are too large, with both numbers named."""
    with pytest.raises(TooLargeError, match=r"body\.images holds 6 items: send at most 5"):
        images(np.zeros(shape, dtype))


@pytest.mark.parametrize("dtype", ["i1", "i8", "u2", "u4", "?", "c8", "U1", "M8[s]", "O"])
def test_images_of_other_dtypes(dtype):
    """Other dtypes than uint8 and floats are refused, for their range isn't known."""
    with pytest.raises(InvalidValueError, match="expected uint8 from 0 to 255, or floats") as caught:
        images(np.zeros((2, 6), dtype))

    assert fault(caught)[0] == "body.images"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5, 255.0, -0.25])
def test_images_out_of_range(value, dtype):
    """The first value outside [0, 1] is named with its image and pixel."""
    array = np.zeros((4, 2, 3), dtype)
    array[2, 1, 1] = value
    array[3, 0, 0] = 7

    with pytest.raises(InvalidValueError) as caught:
        images(array)

    hint = {1.5: "clip values just outside it", 255: "divide 0..255 by 255", -0.25: "clip values just outside it"}.get(
        value
    )
    why = f"has the value {value} at pixel 4: expected 0 to 1" + (f" ({hint})" if hint else "")
    assert fault(caught) == ("body.images[2]", why)


@pytest.mark.parametrize("value", [1.0000000001, -1e-300, 1e300, 5e-324 * -1])
def test_images_just_out_of_range_in_float64(value):
    """A float64 that float32 would round into the range is refused all the same, and shown in full."""
    array = np.zeros((1, 6))
    array[0, 3] = value

    with pytest.raises(InvalidValueError) as caught:
        images(array)

    assert str(value) in fault(caught)[1]


def test_images_of_signaling_nan():
    """A signaling NaN is a wrong value like any other."""
    array = np.full((1, 6), 0x7F800001, np.uint32).view(np.float32)

    with pytest.raises(InvalidValueError, match="nan at pixel 0"):
        images(array)


def test_images_of_one_image_out_of_range():
    """An image that was sent without a batch axis has no index in the error."""
    with pytest.raises(InvalidValueError) as caught:
        images(np.full((2, 3), 2.0))

    assert fault(caught)[0] == "body.images"


@given(
    npst.arrays(
        st.sampled_from(["<f2", "<f4", ">f8"]),
        st.sampled_from([(6,), (2, 3), (3, 6), (2, 2, 3)]),
        elements=st.floats(-0.5, 1.5, width=16) | st.sampled_from([np.nan, np.inf, 0.0, 1.0]),
    )
)
def test_images_are_in_range_or_refused(array):
    """Exactly the arrays within [0, 1] are taken, and they keep their values."""
    fits = bool(((array >= 0) & (array <= 1)).all())

    if fits:
        np.testing.assert_array_equal(images(array).ravel(), array.ravel().astype(np.float32))
    else:
        with pytest.raises(InvalidValueError):
            images(array)


@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_image_of_either_shape(shape):
    """A single image is returned flat."""
    result = as_image(RAMP.reshape(shape), model=MODEL, where="body.images[1]")

    np.testing.assert_array_equal(result, RAMP)


@pytest.mark.parametrize("shape", [(), (1, 6), (1, 2, 3), (3, 2), (0,)])
def test_image_of_wrong_shape(shape):
    """A batch, even of one, isn't an image."""
    with pytest.raises(InvalidValueError) as caught:
        as_image(np.zeros(shape, np.float32), model=MODEL, where="body.images[1]")

    assert fault(caught) == ("body.images[1]", f"has shape {shape}: expected one image of (6,) or (2, 3)")


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8", "i1", "i8", ">u2", "u8"])
@pytest.mark.parametrize("shape", [(4,), (1, 4), (5, 4)])
def test_latents_of_any_number(shape, dtype):
    """Floats and integers of any size become float32 rows."""
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)

    result = latents(array)

    assert result.dtype == np.float32
    assert result.dtype.isnative
    assert result.tolist() == array.reshape(-1, 4).tolist()


@pytest.mark.parametrize("shape", [(), (3,), (0, 5), (3, 0), (2, 5), (4, 2), (1, 2, 4), (1, 1, 4)])
def test_latents_of_wrong_shape(shape):
    """Another shape is refused, with the shape found and what is expected."""
    with pytest.raises(InvalidValueError) as caught:
        latents(np.zeros(shape))

    assert fault(caught) == ("body.latents", f"has shape {shape}: expected (n, 4), or one latent of (4,)")


def test_latents_over_the_limit():
    """More latents than the limit are too large."""
    with pytest.raises(TooLargeError, match=r"body\.latents holds 6 items: send at most 5"):
        latents(np.zeros((6, 4)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39, -1e300])
def test_latents_that_are_not_finite(value):
    """NaN, infinity, and what float32 can't hold are named with their place."""
    array = np.zeros((3, 4))
    array[1, 2] = value

    with pytest.raises(InvalidValueError) as caught:
        latents(array)

    assert fault(caught) == ("body.latents[1]", f"has the value {value} at 2: expected finite float32 numbers")


@pytest.mark.parametrize("dtype", ["?", "c8", "U1", "O", "M8[s]"])
def test_latents_of_other_dtypes(dtype):
    """Anything but a number is refused as a latent."""
    with pytest.raises(InvalidValueError, match="expected numbers"):
        latents(np.zeros((2, 4), dtype))
