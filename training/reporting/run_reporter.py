"""Reports a run to the terminal and into its folder. Trains and measures nothing."""

from pathlib import Path
from typing import Final

from training.checkpoints.checkpoint import Checkpoint
from training.config import TrainConfig
from training.counts import count_of
from training.data import VALIDATION_SEED, Dataset, binarize
from training.engine.epoch import Epoch
from training.engine.run import EVALUATION_TARGET
from training.reporting.epoch_records import epoch_record
from training.reporting.figures import image_grids
from training.reporting.progress import Report
from training.reporting.run_folder import RunFolder, read_metrics
from training.reporting.tensorboard import RESULT

FIGURES: Final = "figures"
"""Name of the folder of figures in the run's folder."""

_COLUMNS: Final = 12
_SIDE: Final = 84  # approximate width in pixels of an image in TensorBoard; larger images keep their size


class Recorder:
    """Passes epochs and result of a run to a report, and writes them into the run's folder."""

    def __init__(self, report: Report, folder: RunFolder, *, config: TrainConfig, dataset: Dataset) -> None:
        self._report = report
        self._folder = folder
        self._config = config
        self._dataset = dataset
        images = dataset.validation[:_COLUMNS]
        self._images = binarize(images, target=EVALUATION_TARGET, seed=VALIDATION_SEED)

    def epoch(self, epoch: Epoch, best: Checkpoint) -> None:
        """Record an epoch and, at epochs 1, 2, 5, 10, 20, 50 and so on, images of the best model so far."""
        record = epoch_record(epoch, self._config, train_images=len(self._dataset.train))
        self._folder.record(record)
        self._report.epoch(record)
        if str(epoch.number).rstrip("0") in {"1", "2", "5"}:
            shape = best.model.image_shape
            scale = max(_SIDE // max(shape), 1)
            for tag, tiles in (
                ("reconstructions", image_grids.reconstruct(best.weights, self._images, shape, rows=1)),
                ("samples", image_grids.sample(best.weights, shape, rows=4, columns=_COLUMNS)),
            ):
                self._folder.add_picture(
                    epoch.number, tag, image_grids.encode_png(image_grids.mosaic(tiles), scale=scale)
                )

    def result(self, best: Checkpoint, path: Path, text: str) -> None:
        """Record the result: the line, and the test metrics of the checkpoint at the path."""
        measured = {
            f"{RESULT}{name}": value
            for name, value in best.metrics.items()
            if name.startswith("test_") and isinstance(value, float)
        }
        self._folder.add_scalars(best.metrics["epochs"], measured)
        self._report.result(text, {"checkpoint": str(path), **best.metrics})

    def draw_figures(self, best: Checkpoint) -> None:
        """Draw the figures of the run into its folder and into TensorBoard; report problems."""
        # matplotlib takes half a second to import, and is needed only at the end of a run.
        folder = self._folder.path / FIGURES
        try:
            from training.reporting.figures.checkpoint_figures import draw_figures  # noqa: PLC0415

            drawn = draw_figures(folder, best, self._dataset, read_metrics(self._folder.path))
        except Exception as error:  # noqa: BLE001 -- a failure of matplotlib or the disk must not fail a finished run
            self._report.problem(f"the figures weren't drawn: {type(error).__name__}: {error}")
            return
        for figure in drawn:
            if figure.reason is None:
                tag = f"{RESULT}{figure.path.stem}"
                self._folder.add_picture(best.metrics["epochs"], tag, figure.path.read_bytes())
        self._report.note(f"drew {count_of(sum(figure.reason is None for figure in drawn), 'figure')} into {folder}")
