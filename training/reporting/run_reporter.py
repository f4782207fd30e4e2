"""What is told and written of a run as it goes: to the terminal, into its folder. It trains and measures nothing."""

from pathlib import Path
from typing import Final

from training.checkpoint import Checkpoint
from training.config import TrainConfig
from training.data import VALIDATION_SEED, Dataset, binarize
from training.loop import EVALUATION_TARGET, Epoch
from training.reporting import pictures
from training.reporting.events import RESULT
from training.reporting.progress import Report
from training.reporting.records import epoch_record
from training.reporting.run_folder import RunFolder, read_metrics

FIGURES: Final = "figures"
"""Folder of the figures, in the run's."""

_COLUMNS: Final = 12
_SIDE: Final = 84  # pixels of an image in TensorBoard, about; a larger one isn't enlarged


class Recorder:
    """Tells each epoch and the end of a run to a report, and writes them into the run's folder."""

    def __init__(self, report: Report, folder: RunFolder, *, config: TrainConfig, dataset: Dataset) -> None:
        self._report = report
        self._folder = folder
        self._config = config
        self._dataset = dataset
        images = dataset.validation[:_COLUMNS]
        self._images = binarize(images, target=EVALUATION_TARGET, seed=VALIDATION_SEED)

    def epoch(self, epoch: Epoch, best: Checkpoint) -> None:
        """Record an epoch and, at epochs 1, 2, 5, 10, 20, 50 and so on, what the best model so far draws."""
        record = epoch_record(epoch, self._config, train_images=len(self._dataset.train))
        self._folder.record(record)
        self._report.epoch(record)
        if str(epoch.number).rstrip("0") in {"1", "2", "5"}:
            shape = best.model.image_shape
            scale = max(_SIDE // max(shape), 1)
            for tag, tiles in (
                ("reconstructions", pictures.reconstruct(best.weights, self._images, shape, rows=1)),
                ("samples", pictures.sample(best.weights, shape, rows=4, columns=_COLUMNS)),
            ):
                self._folder.add_picture(epoch.number, tag, pictures.encode_png(pictures.mosaic(tiles), scale=scale))

    def result(self, best: Checkpoint, path: Path, text: str) -> None:
        """Record what the run came to: the line, and what the checkpoint at the path says of the test."""
        measured = {
            f"{RESULT}{name}": value
            for name, value in best.metrics.items()
            if name.startswith("test_") and isinstance(value, float)
        }
        self._folder.add_scalars(best.metrics["epochs"], measured)
        self._report.result(text, {"checkpoint": str(path), **best.metrics})

    def draw_figures(self, best: Checkpoint) -> None:
        """Draw the figures of the run into its folder, and into TensorBoard."""
        # matplotlib takes half a second to import, which only the end of a run has to spare.
        from training.reporting.figures import draw_figures  # noqa: PLC0415

        folder = self._folder.path / FIGURES
        drawn = draw_figures(folder, best, self._dataset, read_metrics(self._folder.path))
        for figure in drawn:
            if figure.reason is None:
                tag = f"{RESULT}{figure.path.stem}"
                self._folder.add_picture(best.metrics["epochs"], tag, figure.path.read_bytes())
        self._report.note(f"drew {sum(figure.reason is None for figure in drawn)} figures into {folder}")
