"""The figures of a checkpoint, drawn with matplotlib: reconstructions, samples, latent space, learning curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint
from training.data import Dataset
from training.engine.run import EVALUATION_TARGET
from training.errors import RunFolderError
from training.reporting.epoch_records import Record
from training.reporting.figures import image_grids
from training.reporting.figures.curves import draw_learning_curves
from training.reporting.figures.grids import draw_grid, draw_traversal
from training.reporting.figures.latent_map import draw_latent_map
from training.reporting.figures.style import save

_PAIRS: Final = 4  # rows of originals, each above its reconstructions
_COLUMNS: Final = 12
_STEPS: Final = 11  # of a traversal
_MOST_DIMENSIONS: Final = 32  # of a traversal
_MOST_IMAGES: Final = 10_000  # that are encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One figure: its file, or the reason why it is missing."""

    path: Path
    """The PNG file, which is absent where there is a reason."""

    reason: str | None
    """The reason why it couldn't be drawn."""


def draw_figures(folder: Path, checkpoint: Checkpoint, dataset: Dataset, records: Sequence[Record]) -> list[Drawn]:
    """Draw the figures of a checkpoint into a folder, from the test images.

    Args:
        folder: Created if missing. Existing figures are replaced; those that can't be drawn are removed.
        checkpoint: The model.
        dataset: Its training data.
        records: The run's epochs, if there are any.

    Raises:
        DataError: The data set's images haven't the model's shape.
        RunFolderError: The folder can't be written.
    """
    drawings = _Drawings(checkpoint, dataset, records)
    figures: dict[str, Callable[[], Figure] | str] = {
        "learning_curves": drawings.learning_curves if records else "no metrics of the run are beside the checkpoint",
        "reconstructions": drawings.reconstructions,
        "samples": drawings.samples,
        "latent_map": drawings.missing_for_map or drawings.latent_map,
        "traversal": drawings.traversal,
    }
    drawn = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in figures.items():
            path = folder / f"{name}.png"
            if isinstance(draw, str):
                path.unlink(missing_ok=True)
            else:
                save(draw(), path)
            drawn.append(Drawn(path=path, reason=draw if isinstance(draw, str) else None))
    except OSError as error:
        raise RunFolderError(f"{folder}: can't be written: {error.strerror}; choose another folder") from error
    return drawn


class _Drawings:
    def __init__(self, checkpoint: Checkpoint, dataset: Dataset, records: Sequence[Record]) -> None:
        self._weights = checkpoint.weights
        self._model = checkpoint.model
        self._records = records
        self._images = image_grids.shown_images(dataset, checkpoint.model, most=_MOST_IMAGES)
        self._labels = None if dataset.test_labels is None else dataset.test_labels[:_MOST_IMAGES]
        self._run = f"{checkpoint.framework}, {dataset.name}"
        self._part = f"{self._run}: test images, target {EVALUATION_TARGET}"
        self._target = checkpoint.training.get("target", "unknown")

    @property
    def missing_for_map(self) -> str | None:
        """Return the reason why there is no latent map, or None."""
        if self._labels is None:
            return "the data set has no labels to color by"
        if self._model.latent_dim < 2 or len(self._images) < 2:
            return "a map takes at least two latent dimensions and two images"
        return None

    def learning_curves(self) -> Figure:
        return draw_learning_curves(
            self._records,
            title="Learning curves",
            subtitle=f"{self._run}: training on target {self._target}, measured while the weights changed; "
            f"validation on target {EVALUATION_TARGET}",
        )

    def reconstructions(self) -> Figure:
        columns = min(_COLUMNS, len(self._images))
        pairs = min(_PAIRS, len(self._images) // columns)
        return draw_grid(
            image_grids.reconstruct(
                self._weights, self._images[: pairs * columns], self._model.image_shape, rows=pairs
            ),
            title="Originals and reconstructions",
            subtitle=f"{self._part}; below each its probabilities at the mean of q(z|x), 0 black and 1 white",
            rows=["original", "reconstruction"] * pairs,
            group=2,
        )

    def samples(self) -> Figure:
        return draw_grid(
            image_grids.sample(self._weights, self._model.image_shape, rows=8, columns=14),
            title="Samples from the prior",
            subtitle=f"{self._run}: probabilities p(x|z) for z drawn from N(0, I), 0 black and 1 white",
        )

    def latent_map(self) -> Figure:
        assert self._labels is not None, "see missing_for_map"
        means, _ = numpy_model.encode(self._weights, self._images)
        return draw_latent_map(
            means,
            self._labels,
            title="Latent space by class",
            subtitle=f"{self._part}: {len(means):,} means of q(z|x); training saw no classes",
        )

    def traversal(self) -> Figure:
        traversal = image_grids.traverse(
            self._weights, self._images, self._model.image_shape, columns=_STEPS, most_rows=_MOST_DIMENSIONS
        )
        count, of = len(traversal.dimensions), self._model.latent_dim
        which = "each latent dimension" if count == of else f"the first {count} of {of} latent dimensions"
        return draw_traversal(
            traversal,
            title="Traversal of the latent dimensions",
            subtitle=f"{self._run}: probabilities as {which} goes from \N{MINUS SIGN}3 to 3, "
            f"by mean KL on test images, target {EVALUATION_TARGET}",
        )
