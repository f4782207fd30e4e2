"""Promotion of a checkpoint into service, and rollback to the replaced one. Serves nothing."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint, parse_checkpoint
from training.checkpoints.history import Event, History, now, read_present
from training.checkpoints.model_card import write_cards
from training.checkpoints.model_files import ModelFile
from training.checkpoints.safetensors_file import replace_file
from training.checkpoints.summary import describe_figure, summarize
from training.errors import CheckpointError, PromotionError


def promote(
    content: bytes,
    model: ModelFile,
    *,
    source: Path,
    companions: Mapping[str, bytes] | None = None,
    force: bool = False,
) -> Event:
    """Replace the checkpoint in service and keep the old one; do nothing if the checkpoint is already in service.

    Args:
        content: The checkpoint's file.
        model: The model to replace.
        source: The file's path, for messages.
        companions: The files that belong to the checkpoint, by the suffixes of `ModelFile.companions`.
        force: Replace a better checkpoint, or one of another shape, too.

    Raises:
        CheckpointError: The file isn't a sound checkpoint, or the folder can't be written.
        PromotionError: The present checkpoint is better, or of another shape.
    """
    candidate = parse_checkpoint(source, content)
    _check_outputs(source, candidate)
    history = History(model)
    with history.locked():
        present = _read_present(model)
        if present is not None and present[0].sha256 == candidate.sha256:
            return _event("promote", candidate, replaced=_id(candidate))
        if present is not None:
            if not force:
                _check_shape(candidate, present[0])
                _check_figure(candidate, present[0])
            history.push(_id(present[0]), present[1], read_present(model.companions))
        _install(model, content, companions or {})
        replaced = _id(present[0]) if present else None
        return history.add(_event("promote", candidate, replaced=replaced, forced=force))


def roll_back(model: ModelFile) -> Event:
    """Restore the previously replaced checkpoint; repeated calls go further back.

    Raises:
        CheckpointError: The kept file is damaged, or the folder can't be written.
        PromotionError: None is kept.
    """
    history = History(model)
    with history.locked():
        present = _read_present(model)
        present_id = _id(present[0]) if present else None
        target = history.last_before(present_id)
        if target is None:
            raise PromotionError(f"{model}: no replaced checkpoint is kept, so there is nothing to roll back to")
        kept_id, content, companions = target
        checkpoint = parse_checkpoint(model.history / f"{kept_id}.safetensors", content)
        if present is not None:  # so that `promote` can undo the rollback
            history.keep(_id(present[0]), present[1], read_present(model.companions))
        _install(model, content, companions)
        history.pop(kept_id)
        return history.add(_event("rollback", checkpoint, replaced=present_id))


def _install(model: ModelFile, content: bytes, companions: Mapping[str, bytes]) -> None:
    # A companion names its checkpoint, so a reader between these steps rejects the other's companion.
    replace_file(model.path, content)
    for suffix, path in model.companions.items():
        if suffix in companions:
            replace_file(path, companions[suffix])
        else:
            path.unlink(missing_ok=True)
    write_cards(model.folder)


def _read_present(model: ModelFile) -> tuple[Checkpoint, bytes] | None:
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


def _check_shape(candidate: Checkpoint, present: Checkpoint) -> None:
    for name in ("image_shape", "latent_dim"):
        new, old = getattr(candidate.model, name), getattr(present.model, name)
        if new != old:
            raise PromotionError(
                f"{name} is {new}, and {old} in the checkpoint in service, {_id(present)}, whose clients send that: "
                "promote it under another name, or override this check"
            )


def _check_figure(candidate: Checkpoint, present: Checkpoint) -> None:
    if summarize(candidate).measured_on != summarize(present).measured_on:
        return
    new, old = candidate.metrics.get("test_elbo"), present.metrics.get("test_elbo")
    if old is not None and (new is None or new < old):
        raise PromotionError(
            f"test ELBO is {describe_figure(candidate)}, worse than {describe_figure(present)} of the checkpoint in "
            f"service, {_id(present)}: train it further, or override this check"
        )


def _event(action: str, checkpoint: Checkpoint, *, replaced: str | None, forced: bool = False) -> Event:
    return Event(
        time=now(),
        action=action,
        checkpoint=_id(checkpoint),
        replaced=replaced,
        summary=f"{summarize(checkpoint).dataset}, test ELBO {describe_figure(checkpoint)}",
        forced=forced,
    )


def _id(checkpoint: Checkpoint) -> str:
    assert checkpoint.id is not None, "it was read from a file"
    return checkpoint.id
