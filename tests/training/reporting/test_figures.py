"""The figures of a run: their files, labels and content."""

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from tests.support.runs import make_dataset, make_record, make_trained
from training.config import ModelConfig
from training.errors import DataError, RunFolderError
from training.reporting.figures.checkpoint_figures import draw_figures
from training.reporting.figures.curves import draw_learning_curves
from training.reporting.figures.grids import draw_grid
from training.reporting.figures.latent_map import draw_latent_map, project
from training.reporting.figures.style import STYLE, save

NAMES = ["learning_curves", "reconstructions", "samples", "latent_map", "traversal"]


@pytest.fixture
def words(monkeypatch):
    """All text on the saved figures, by file name."""
    texts_by_file = {}

    def listen(figure, path):
        texts = [text.get_text() for text in figure.texts]
        for axes in figure.axes:
            texts += [axes.get_xlabel(), axes.get_ylabel(), *(label.get_text() for label in axes.get_yticklabels())]
            texts += [text.get_text() for text in axes.texts]
        texts_by_file[path.stem] = " ".join(" ".join(texts).split())
        save(figure, path)

    monkeypatch.setattr("training.reporting.figures.checkpoint_figures.save", listen)
    return texts_by_file


def test_every_figure_is_drawn(tmp_path, words):
    """Five PNG files are drawn, labeled with framework, images, target and unit."""
    drawn = draw_figures(tmp_path / "figures", make_trained(), make_dataset(), [make_record(1), make_record(2)])

    assert [(figure.path.stem, figure.reason) for figure in drawn] == [(name, None) for name in NAMES]
    assert sorted(path.stem for path in (tmp_path / "figures").iterdir()) == sorted(NAMES)
    for figure in drawn:
        with Image.open(figure.path) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 300
        assert "jax, noise" in words[figure.path.stem]
    assert "ELBO (nats per image)" in words["learning_curves"]
    assert "training on target dynamic" in words["learning_curves"]
    assert "validation on target fixed" in words["learning_curves"]
    for name in ("reconstructions", "latent_map", "traversal"):
        assert "test images, target fixed" in words[name]
    assert "nats" in words["traversal"]


def test_figure_that_lacks_something_is_left_out_with_its_reason(tmp_path):
    """Without metrics there are no curves, without labels no map; an old picture of the name goes."""
    (tmp_path / "latent_map.png").write_bytes(b"old")

    drawn = draw_figures(tmp_path, make_trained(), make_dataset(classes=0), [])

    reasons = {figure.path.stem: figure.reason for figure in drawn if figure.reason}
    assert reasons == {
        "learning_curves": "no metrics of the run are beside the checkpoint",
        "latent_map": "the data set has no labels to color by",
    }
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["reconstructions", "samples", "traversal"]


@pytest.mark.parametrize(
    ("model", "test"),
    [
        (ModelConfig(image_shape=(3, 130), hidden_dim=2, latent_dim=2), 1),
        (ModelConfig(image_shape=(1, 1), hidden_dim=1, latent_dim=1), 5),
        (ModelConfig(image_shape=(28, 28), hidden_dim=2, latent_dim=40), 13),
    ],
)
def test_figures_of_any_shape_and_size_are_drawn(tmp_path, words, model, test):
    """One image or one pixel, one latent dimension or more than fit: nothing fails, and omissions are stated."""
    drawn = draw_figures(
        tmp_path, make_trained(model), make_dataset(test=test, image_shape=model.image_shape), [make_record(1)]
    )

    mapped = model.latent_dim >= 2 and test >= 2
    assert [figure.path.stem for figure in drawn if figure.reason] == [] if mapped else ["latent_map"]
    assert ("the first 32 of 40 latent dimensions" in words["traversal"]) == (model.latent_dim == 40)


def test_other_data_than_the_models_are_refused(tmp_path):
    """The message names both shapes."""
    with pytest.raises(DataError, match=r"noise has images of \(2, 2\): expected \(5, 4\)"):
        draw_figures(tmp_path / "figures", make_trained(), make_dataset(image_shape=(2, 2)), [])

    assert not (tmp_path / "figures").exists()


def test_folder_that_cannot_be_made_is_named(tmp_path):
    """A file where the folder should be is an error that says what to do."""
    (tmp_path / "taken").write_text("")

    with pytest.raises(RunFolderError, match=r"taken: can't be written: .*; choose another folder"):
        draw_figures(tmp_path / "taken", make_trained(), make_dataset(), [])


def test_curves_run_over_epochs_and_over_seconds():
    """Train and validation ELBO and KL, against the epoch on the left and the seconds since the start on the right."""
    records = [make_record(number, seconds=seconds) for number, seconds in ((1, 5.0), (2, 2.0), (3, 2.5))]

    figure = draw_learning_curves(records, title="title", subtitle="subtitle")

    left, right, kl, _ = figure.axes
    assert [line.get_label() for line in right.lines] == ["train", "validation"]
    assert left.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert right.lines[0].get_xdata().tolist() == [5, 7, 9.5]
    assert right.lines[0].get_ydata().tolist() == [-101, -102, -103]
    assert right.lines[1].get_ydata().tolist() == [-109, -108, -107]
    assert kl.lines[1].get_ydata().tolist() == [22, 23, 24]
    assert [text.get_text() for text in left.texts] == ["best validation: \N{MINUS SIGN}107.00, epoch 3"]


def test_curves_are_not_flattened_by_the_first_epochs():
    """Outliers in the first twentieth of a run don't set the scale."""
    records = [make_record(1, train_elbo=-500.0, validation_elbo=-400.0)]
    records += [make_record(number, train_elbo=-100.0, validation_elbo=-99.0) for number in range(2, 41)]

    figure = draw_learning_curves(records, title="title", subtitle="subtitle")

    bottom, top = figure.axes[0].get_ylim()
    assert -101 < bottom < -100
    assert -99 < top < -98


def test_grid_shows_probabilities_on_a_fixed_scale():
    """0 is black and 1 is white, whatever the images hold: no picture is stretched to its own range."""
    tiles = np.full((2, 3, 4, 4), 0.5, np.float32)

    figure = draw_grid(tiles, title="title", subtitle="subtitle", rows=["one", "two"], columns=["a", "b", "c"])

    (image,) = figure.axes[0].images
    assert image.get_clim() == (0, 1)
    assert image.get_array().min() == 0.5
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two"]


def test_map_of_two_dimensions_shows_them_as_they_are():
    """Nothing is projected, and the axes are the latents."""
    means = np.array([[1, 2], [3, 4], [5, 7]], np.float32)

    points, xlabel, ylabel = project(means)

    np.testing.assert_array_equal(points, means)
    assert (xlabel, ylabel) == ("mean of z0", "mean of z1")


def test_map_of_more_dimensions_shows_those_of_most_variance():
    """Points keep their distances along the two widest directions, and the labels say what share they hold."""
    generator = np.random.default_rng(5)
    means = (generator.standard_normal((500, 4)) * [0.1, 3, 0.1, 1]).astype(np.float32)

    points, xlabel, ylabel = project(means)

    np.testing.assert_allclose(points.std(axis=0), [means[:, 1].std(), means[:, 3].std()], rtol=0.02)
    assert np.corrcoef(points[:, 0], means[:, 1])[0, 1] > 0.99
    assert xlabel.startswith("first principal component of the means (")
    share = means[:, 1].var() / means.var(axis=0).sum()
    assert abs(int(xlabel.split("(")[1].split("%")[0]) - 100 * share) <= 1
    assert ylabel.startswith("second principal")


def test_map_gives_each_class_a_look_of_its_own():
    """Beyond ten classes colors repeat with another marker; every class is in the legend and on the map."""
    labels = np.repeat(np.arange(12, dtype=np.uint8), 3)
    means = np.random.default_rng(6).standard_normal((len(labels), 2), dtype=np.float32)

    figure = draw_latent_map(means, labels, title="title", subtitle="subtitle")

    (axes,) = figure.axes
    looks = {(str(line.get_color()), line.get_marker()) for line in axes.get_legend().get_lines()}
    assert len(looks) == 12
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [str(label) for label in range(12)]
    assert [text.get_text() for text in axes.texts] == [str(label) for label in range(12)]
    assert sum(len(points.get_offsets()) for points in axes.collections) == 36


def test_figures_leave_the_settings_as_they_were(tmp_path):
    """Drawing leaves matplotlib's settings unchanged for other code in the process."""
    before = {name: mpl.rcParams[name] for name in STYLE}

    draw_figures(tmp_path, make_trained(), make_dataset(), [make_record(1)])

    assert {name: mpl.rcParams[name] for name in STYLE} == before
    assert before != STYLE
