"""Companion files: examples, latent means, the map of the latent space, and maps between frameworks."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.support.runs import make_dataset, make_trained
from training import numpy_model
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.companion_file import read_companion
from training.checkpoints.model_files import ModelFile
from training.config import ModelConfig
from training.data import TEST_SEED, binarize
from training.errors import CheckpointError, DataError
from training.reporting.companion import write_companions

WIDE = ModelConfig(image_shape=(4, 9), hidden_dim=6, latent_dim=3)


@pytest.fixture
def model(tmp_path):
    """A trained model of wide images."""
    model = ModelFile(tmp_path, "jax", "cats")
    save_checkpoint(model.path, make_trained(WIDE))
    return model


def read(model):
    """Return the companion of a model."""
    return json.loads(model.companion.read_text())


def test_examples_are_the_test_images(model):
    """The PNG image holds the first test images, row by row, with their labels and latent means."""
    dataset = make_dataset(image_shape=(4, 9))

    write_companions(model, dataset)

    companion = read(model)
    examples = companion["examples"]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(examples["png"]))))
    tiles = picture.reshape(-1, 4, examples["columns"], 9).swapaxes(1, 2).reshape(-1, 36)
    drawn = binarize(dataset.test, target="dynamic", seed=TEST_SEED)
    mean, _ = numpy_model.encode(load_checkpoint(model.path).weights, drawn)
    assert examples["count"] == 40
    np.testing.assert_array_equal(tiles[:40], dataset.test)
    assert examples["labels"] == dataset.test_labels.tolist()
    np.testing.assert_allclose(companion["means"], mean, atol=5e-4)


def test_map_is_the_principal_plane(model):
    """Points are the means' coordinates on two orthogonal axes that hold the most variance."""
    write_companions(model, make_dataset(image_shape=(4, 9)))

    companion = read(model)
    means, plane = np.array(companion["means"]), companion["map"]
    axes = np.array(plane["axes"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-3)
    np.testing.assert_allclose(plane["points"], (means - plane["center"]) @ axes.T, atol=0.02)
    assert plane["explained"][0] >= plane["explained"][1]
    assert sum(plane["explained"]) >= 2 / 3


def test_data_without_classes_has_no_labels(model):
    """Images without labels have examples and a map all the same."""
    write_companions(model, make_dataset(classes=0, image_shape=(4, 9)))

    assert read(model)["examples"]["labels"] is None


def test_one_latent_has_no_plane(tmp_path):
    """With a single latent there is no two-dimensional map."""
    line = ModelConfig(image_shape=(4, 9), hidden_dim=6, latent_dim=1)
    model = ModelFile(tmp_path, "jax", "line")
    save_checkpoint(model.path, make_trained(line))

    write_companions(model, make_dataset(image_shape=(4, 9)))

    assert read(model)["map"] is None


def test_frameworks_of_the_same_data_are_mapped_to_each_other(model):
    """The companions of one name hold linear maps; between equal weights the map is the identity."""
    twin = ModelFile(model.checkpoints, "pytorch", "cats")
    save_checkpoint(twin.path, make_trained(WIDE, framework="pytorch"))

    written = write_companions(model, make_dataset(image_shape=(4, 9)))

    assert written == [model.companion, twin.companion]
    for source, target in ((model, "pytorch"), (twin, "jax")):
        fit = read(source)["to"][target]
        np.testing.assert_allclose(fit["matrix"], np.eye(3), atol=1e-3)
        np.testing.assert_allclose(fit["offset"], 0, atol=1e-3)
        assert fit["explained"] == 1


def test_other_data_or_name_is_not_mapped(model):
    """A model of another name, or of images with another checksum, gets no companion."""
    other = make_trained(WIDE)
    save_checkpoint(ModelFile(model.checkpoints, "pytorch", "dogs").path, other)
    training = {**other.training, "dataset": "other"}
    save_checkpoint(ModelFile(model.checkpoints, "tensorflow", "cats").path, make_trained(WIDE, training=training))

    assert write_companions(model, make_dataset(image_shape=(4, 9))) == [model.companion]


def test_images_of_another_shape_are_refused(model):
    """The error names both shapes."""
    with pytest.raises(DataError, match=r"\(5, 5\): expected \(4, 9\)"):
        write_companions(model, make_dataset(image_shape=(5, 5)))


def test_companion_of_another_checkpoint_is_not_read(model):
    """A companion is read only with the checkpoint that it was made for."""
    write_companions(model, make_dataset(image_shape=(4, 9)))
    checkpoint_id = load_checkpoint(model.path).sha256[:12]

    assert read_companion(model, checkpoint_id=checkpoint_id) == model.companion.read_bytes()
    with pytest.raises(CheckpointError, match="belongs to another checkpoint"):
        read_companion(model, checkpoint_id="0" * 12)


@pytest.mark.parametrize(("content", "message"), [(None, "has no companion"), ("{}", "can't be read"), ("x", "read")])
def test_absent_or_damaged_companion_is_explained(model, content, message):
    """The error says how to write it."""
    if content is not None:
        model.companion.write_text(content)

    with pytest.raises(CheckpointError, match=f"{message}.*training gallery"):
        read_companion(model, checkpoint_id="0" * 12)
