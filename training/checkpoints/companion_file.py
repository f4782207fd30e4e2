"""Reads the companion file of a checkpoint; `training.reporting.companion` writes it."""

import json
from typing import Any, Final

from training.checkpoints.model_files import ModelFile
from training.errors import CheckpointError

FORMAT: Final = "triptych-companion-1"

_ADVICE: Final = "write it with `python -m training gallery`"


def read_companion(model: ModelFile, *, checkpoint_id: str | None) -> bytes:
    """Return the content of a model's companion file, which is JSON.

    Raises:
        CheckpointError: There is none, it is damaged, or it belongs to another checkpoint.
    """
    try:
        content = model.companion.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{model} has no companion file, with examples and a map: {_ADVICE}") from None
    except OSError as error:
        raise CheckpointError(f"the companion file of {model} can't be read: {_ADVICE}") from error
    check_companion(content, checkpoint_id=checkpoint_id, name=f"the companion file of {model}")
    return content


def check_companion(content: bytes, *, checkpoint_id: str | None, name: str) -> None:
    """Raise a `CheckpointError` unless the content is a companion file of the checkpoint; `name` is for the message."""
    try:
        values: Any = json.loads(content)
        belongs_to = values["checkpoint"] if values["format"] == FORMAT else None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{name} can't be read: {_ADVICE}") from error
    if belongs_to != checkpoint_id:
        raise CheckpointError(f"{name} belongs to another checkpoint: {_ADVICE}")
