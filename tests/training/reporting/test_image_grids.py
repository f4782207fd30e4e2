"""Image grids: probabilities in the right order and at the right places."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.checkpoints import make_weights
from tests.support.models import numpy_reference
from tests.support.runs import MODEL
from training.reporting.figures import image_grids

WEIGHTS = make_weights(MODEL)
IMAGES = np.random.default_rng(3).integers(0, 2, (6, MODEL.image_dim)).astype(np.float32)


def probs(z):
    """Return the reference's decoded latents, as images."""
    weights = {name: array.astype(np.float64) for name, array in WEIGHTS.items()}
    hidden = np.maximum(z @ weights["decoder.hidden.kernel"] + weights["decoder.hidden.bias"], 0)
    logits = hidden @ weights["decoder.logits.kernel"] + weights["decoder.logits.bias"]
    return (1 / (1 + np.exp(-logits))).reshape(-1, *MODEL.image_shape)


def test_reconstructions_lie_below_their_originals():
    """Rows of originals alternate with rows of the probabilities at the mean, image by image."""
    tiles = image_grids.reconstruct(WEIGHTS, IMAGES, MODEL.image_shape, rows=2)

    mean = numpy_reference.forward(WEIGHTS, IMAGES, np.zeros((6, MODEL.latent_dim)))["mean"]
    expected = probs(mean).reshape(2, 3, *MODEL.image_shape)
    np.testing.assert_array_equal(tiles[[0, 2]], IMAGES.reshape(2, 3, *MODEL.image_shape))
    np.testing.assert_allclose(tiles[[1, 3]], expected, atol=1e-5)


def test_samples_are_probabilities_and_the_same_each_time():
    """They lie between 0 and 1, differ from each other, and can be compared from epoch to epoch."""
    tiles = image_grids.sample(WEIGHTS, MODEL.image_shape, rows=2, columns=3)

    assert tiles.shape == (2, 3, *MODEL.image_shape)
    assert 0 <= tiles.min() < tiles.max() <= 1
    assert not np.array_equal(tiles[0, 0], tiles[1, 2])
    np.testing.assert_array_equal(tiles, image_grids.sample(WEIGHTS, MODEL.image_shape, rows=2, columns=3))


def test_traversal_moves_one_dimension_at_a_time_most_informative_first():
    """Rows are ordered by the KL that the images give; the columns go from -3 to 3 with the others at 0."""
    traversal = image_grids.traverse(WEIGHTS, IMAGES, MODEL.image_shape, columns=5, most_rows=10)

    outputs = numpy_reference.forward(WEIGHTS, IMAGES, np.zeros((6, MODEL.latent_dim)))
    divergences = [
        numpy_reference.kl_divergence(outputs["mean"][:, [i]], outputs["logvar"][:, [i]]).mean()
        for i in range(MODEL.latent_dim)
    ]
    assert traversal.dimensions.tolist() == np.argsort(divergences)[::-1].tolist()
    np.testing.assert_allclose(traversal.kl_divergence, sorted(divergences, reverse=True), rtol=1e-4)
    np.testing.assert_array_equal(traversal.values, [-3, -1.5, 0, 1.5, 3])
    second = np.zeros((5, MODEL.latent_dim))
    second[:, traversal.dimensions[1]] = traversal.values
    np.testing.assert_allclose(traversal.tiles[1], probs(second), atol=1e-5)


def test_traversal_of_many_dimensions_is_cut_short():
    """The number of rows is limited, to the most informative dimensions."""
    traversal = image_grids.traverse(WEIGHTS, IMAGES, MODEL.image_shape, columns=3, most_rows=2)

    assert traversal.tiles.shape == (2, 3, *MODEL.image_shape)
    assert traversal.kl_divergence[0] >= traversal.kl_divergence[1]


@pytest.mark.parametrize(("group", "height"), [(1, 4 * 5 + 3 * 2), (2, 4 * 5 + 2 * 2 + 6)])
def test_mosaic_has_every_tile_at_its_place(group, height):
    """Tiles are copied as they are, gaps are white, and the row centres are where the tiles' are."""
    tiles = np.random.default_rng(4).random((4, 3, 5, 4), dtype=np.float32) / 2

    picture = image_grids.mosaic(tiles, group=group)

    assert picture.shape == (height, 3 * 4 + 2 * 2)
    for row, center in enumerate(image_grids.row_centers(tiles, group=group)):
        top = int(center) - 2
        np.testing.assert_array_equal(picture[top : top + 5, 6:10], tiles[row, 1])
    assert (picture == 1).sum() == picture.size - tiles.size


def test_png_has_each_pixel_as_a_square():
    """0 is black, 1 is white, and a scale of 3 makes nine pixels of one."""
    content = image_grids.encode_png(np.array([[0, 0.5], [1, 0.25]], np.float32), scale=3)

    pixels = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(pixels, np.array([[0, 128], [255, 64]]).repeat(3, 0).repeat(3, 1))
