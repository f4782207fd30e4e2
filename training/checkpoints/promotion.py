"""Promotion of a checkpoint into service, and rollback to the replaced one. Serves nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint, parse_checkpoint
from training.checkpoints.history import Event, History, now, read_existing_files
from training.checkpoints.model_card import write_cards
from training.checkpoints.model_files import ModelFile
from training.checkpoints.safetensors_file import remove_file, replace_file
from training.checkpoints.summary import are_measured_alike, describe_test_elbo, summarize
from training.errors import CheckpointError, PromotionError

_PROMOTE: Final = "promote"
_ROLLBACK: Final = "rollback"

_OVERRIDE: Final = "override this check with --force (over HTTP, force=true)"


def promote(
    content: bytes,
    model: ModelFile,
    *,
    source: Path,
    side_files: Mapping[str, bytes] | None = None,
    force: bool = False,
) -> Event:
    """Replace the checkpoint in service and keep the old one; of one that is in service, replace the given side files.

    Args:
        content: The checkpoint's file.
        model: The model to replace.
        source: The file's path, for messages.
        side_files: The files that belong to the checkpoint, by the suffixes of `ModelFile.side_files`.
        force: Replace a better checkpoint, or one of another shape, too.

    Raises:
        CheckpointError: The file isn't a sound checkpoint.
        UnwritableError: The folder can't be written.
        PromotionError: The current checkpoint is better, or of another shape, or the history is damaged.
    """
    candidate = parse_checkpoint(source, content)
    _check_outputs(source, candidate)
    history = History(model)
    with history.locked():
        current = _read_current(model)
        if current is not None and current[0].sha256 == candidate.sha256:
            for suffix, side_file in (side_files or {}).items():
                replace_file(model.side_files[suffix], side_file)
            return _event(_PROMOTE, candidate, replaced=_id(candidate))
        if current is not None:
            if not force:
                _check_shape(candidate, current[0])
                _check_test_elbo(candidate, current[0])
            history.push(_id(current[0]), current[1], read_existing_files(model.side_files))
        _install(model, content, side_files or {})
        replaced = _id(current[0]) if current else None
        return history.add(_event(_PROMOTE, candidate, replaced=replaced, forced=force))


def roll_back(model: ModelFile) -> Event:
    """Restore the previously replaced checkpoint; repeated calls go further back.

    Raises:
        UnwritableError: The folder can't be written.
        PromotionError: None is kept, or the kept file or the history is damaged.
    """
    history = History(model)
    nothing_kept = PromotionError(f"{model}: no replaced checkpoint is kept, so there is nothing to roll back to")
    if not model.history.exists():  # which the lock would create
        raise nothing_kept
    with history.locked():
        current = _read_current(model)
        current_id = _id(current[0]) if current else None
        kept_id = history.find_before(current_id)
        if kept_id is None:
            raise nothing_kept
        checkpoint, content, side_files = _read_kept(history, model, kept_id)
        if current is not None:  # so that the rollback can be undone
            history.keep(_id(current[0]), current[1], read_existing_files(model.side_files))
        _install(model, content, side_files)
        history.pop(kept_id)
        return history.add(_event(_ROLLBACK, checkpoint, replaced=current_id))


def undo(change: Event, model: ModelFile) -> None:
    """Undo a promotion or rollback whose checkpoint can't be served: what it replaced returns, if there was anything.

    Nothing is done if the checkpoint has been replaced meanwhile.

    Raises:
        UnwritableError: The folder can't be written.
        PromotionError: The kept file or the history is damaged.
    """
    history = History(model)
    with history.locked():
        current = _read_current(model)
        if current is None or _id(current[0]) != change.checkpoint or change.replaced == change.checkpoint:
            return
        if change.replaced is None:
            for path in (model.path, *model.side_files.values()):
                remove_file(path)
            write_cards(model.folder)
            return
        checkpoint, content, side_files = _read_kept(history, model, change.replaced)
        if change.action == _ROLLBACK:  # a later one may restore the same checkpoint
            history.push(change.checkpoint, current[1], read_existing_files(model.side_files))
        _install(model, content, side_files)
        if change.action == _PROMOTE:
            history.pop(change.replaced)
        action = _PROMOTE if change.action == _ROLLBACK else _ROLLBACK
        history.add(_event(action, checkpoint, replaced=change.checkpoint))


def _install(model: ModelFile, content: bytes, side_files: Mapping[str, bytes]) -> None:
    # Side files name their checkpoint, so a reader between these steps rejects those of the other one. If one of them
    # can't be written, the checkpoint in service stays.
    for suffix, path in model.side_files.items():
        if suffix in side_files:
            replace_file(path, side_files[suffix])
        else:
            remove_file(path)
    replace_file(model.path, content)
    write_cards(model.folder)


def _read_kept(history: History, model: ModelFile, kept_id: str) -> tuple[Checkpoint, bytes, dict[str, bytes]]:
    """Return a kept checkpoint, its file and its side files.

    Raises:
        PromotionError: It can't be read, or is damaged.
    """
    try:
        content, side_files = history.read_kept(kept_id)
        return parse_checkpoint(model.history / f"{kept_id}.safetensors", content), content, side_files
    except CheckpointError as error:
        raise PromotionError(str(error)) from error


def _read_current(model: ModelFile) -> tuple[Checkpoint, bytes] | None:
    content = _read_bytes(model.path)
    try:
        return None if content is None else (parse_checkpoint(model.path, content), content)
    except CheckpointError:
        return None  # a damaged checkpoint may always be replaced


def _read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _check_outputs(source: Path, checkpoint: Checkpoint) -> None:
    model = checkpoint.model
    images = np.stack([np.zeros(model.image_dim, np.float32), np.ones(model.image_dim, np.float32)])
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = (
            *numpy_model.encode(checkpoint.weights, images),
            numpy_model.decode(checkpoint.weights, np.zeros((1, model.latent_dim), np.float32)),
        )
    if not all(np.isfinite(output).all() for output in outputs):
        raise CheckpointError(
            f"{source}: expected finite outputs for a black and a white image, found others: train it again"
        )


def _check_shape(candidate: Checkpoint, current: Checkpoint) -> None:
    for name in ("image_shape", "latent_dim"):
        new, old = getattr(candidate.model, name), getattr(current.model, name)
        if new != old:
            raise PromotionError(
                f"{name} is {new}, and {old} in the checkpoint in service, {_id(current)}, whose clients send that: "
                f"promote it under another name, or {_OVERRIDE}"
            )


def _check_test_elbo(candidate: Checkpoint, current: Checkpoint) -> None:
    if not are_measured_alike(candidate, current):
        return
    new, old = candidate.metrics.get("test_elbo"), current.metrics.get("test_elbo")
    if old is not None and (new is None or new < old):
        raise PromotionError(
            f"test ELBO is {describe_test_elbo(candidate)}, worse than {describe_test_elbo(current)} of the checkpoint "
            f"in service, {_id(current)}: train it further, or {_OVERRIDE}"
        )


def _event(action: str, checkpoint: Checkpoint, *, replaced: str | None, forced: bool = False) -> Event:
    return Event(
        time=now(),
        action=action,
        checkpoint=_id(checkpoint),
        replaced=replaced,
        summary=f"{summarize(checkpoint).dataset}, test ELBO {describe_test_elbo(checkpoint)}",
        forced=forced,
    )


def _id(checkpoint: Checkpoint) -> str:
    assert checkpoint.id is not None, "it was read from a file"
    return checkpoint.id
