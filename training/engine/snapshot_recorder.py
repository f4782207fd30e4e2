"""Saves snapshots of a run after chosen epochs, in a file beside its checkpoint. Imports no framework."""

from collections.abc import Collection
from pathlib import Path

from training.atomic_file import remove_leftovers
from training.checkpoints.checkpoint import Checkpoint, Weights
from training.checkpoints.model_files import locate
from training.checkpoints.safetensors_file import remove_file
from training.checkpoints.snapshots import Snapshot, read_snapshots, write_snapshots
from training.config import ModelConfig
from training.errors import CheckpointError


class SnapshotRecorder:
    """The snapshots of one run."""

    def __init__(self, path: Path, model: ModelConfig, epochs: Collection[int], *, resumed: bool) -> None:
        """Keep the snapshots of a resumed run, and delete those of an earlier one.

        Args:
            path: The run's checkpoint file.
            model: The architecture.
            epochs: The epochs to keep; 0 is before the first.
            resumed: False for a run that begins.
        """
        self._path = locate(path).snapshots
        self._model = model
        self._epochs = frozenset(epochs)
        self._snapshots: dict[int, Snapshot] = {}
        remove_leftovers(self._path)
        if not resumed:
            remove_file(self._path)
        elif self._path.exists():
            try:
                self._snapshots = read_snapshots(self._path, model)
            except CheckpointError:
                return  # later ones replace the damaged file

    def is_due(self, epoch: int) -> bool:
        """Return True if the epoch's weights are to be kept."""
        return epoch in self._epochs

    def add(self, epoch: int, weights: Weights, *, validation_elbo: float) -> None:
        """Keep the weights after an epoch, if it is due.

        Raises:
            CheckpointError: The file can't be written.
        """
        if self.is_due(epoch):
            self._snapshots[epoch] = Snapshot(weights, validation_elbo)
            self._write(None)

    def finish(self, checkpoint: Checkpoint) -> None:
        """Name the finished checkpoint as the one that the snapshots belong to.

        Raises:
            CheckpointError: The file can't be written.
        """
        if self._snapshots:
            self._write(checkpoint.id)

    def _write(self, checkpoint_id: str | None) -> None:
        ordered = dict(sorted(self._snapshots.items()))
        write_snapshots(self._path, self._model, ordered, checkpoint_id=checkpoint_id)
