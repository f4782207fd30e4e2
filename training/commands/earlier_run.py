"""What a run finds of an earlier one in its folder, and what is said of it. Nothing is trained here."""

from pathlib import Path
from typing import Any

from rich.console import Console

from training.options import check_options
from training.training_state import STATE_FILE, TrainingState, load_training_state, peek_training_state

_errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def find_state(path: Path, framework: str, options: dict[str, Any]) -> TrainingState | None:
    """Return the state that a run is to go on from, and say so where there is none.

    Raises:
        CheckpointError: It can't be read.
        ConfigError: An option contradicts it.
    """
    place = path.with_name(STATE_FILE)
    if not place.exists():
        _errors.print(f"{path.parent}: no run to resume: starting from the beginning")
        return None
    state = load_training_state(place)
    check_options(path.parent, framework, options, state)
    return state


def warn_of_unfinished(path: Path) -> None:
    """Say that an unfinished run is about to be replaced, where there is one."""
    old = peek_training_state(path.with_name(STATE_FILE))
    if old is not None and not old["finished"]:
        _errors.print(
            f"{path.parent}: replacing a run that was stopped after epoch {old['epoch']} of {old['config']['epochs']} "
            "(--resume would have gone on with it)"
        )
