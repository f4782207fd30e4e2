"""An earlier run in the output folder: resumed, refused or replaced. Trains nothing."""

from pathlib import Path
from typing import Any

from training.checkpoints.checkpoint import load_checkpoint
from training.commands.options.run import check_options
from training.counts import count_of
from training.engine.resume_state import STATE_FILE, TrainingState, load_training_state, peek_training_state
from training.errors import CheckpointError, RunFolderError
from training.process.console import plain_console

_errors = plain_console(stderr=True)


def find_state(path: Path, framework: str, options: dict[str, Any], *, resume: bool) -> TrainingState | None:
    """Return the state to resume from, or None for a new run.

    Raises:
        CheckpointError: The state can't be read.
        ConfigError: An option contradicts the state.
        RunFolderError: The folder holds a run and neither option is given, or a checkpoint without a state.
    """
    place = path.with_name(STATE_FILE)
    if not resume or not place.exists():
        _refuse_to_replace(path)
        if resume:
            _errors.print(f"{path.parent}: no run to resume: starting from the beginning")
        return None
    state = load_training_state(place)
    check_options(path.parent, framework, options, state)
    return state


def warn_of_other_environment(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Warn on stderr if the environment of a resumed run differs, which can change the last digits of its results."""
    changed = [
        f"{name} {before.get(name, 'none')} before, {now.get(name, 'none')} now"
        for name in sorted(before.keys() | now.keys())
        if before and before.get(name) != now.get(name)
    ]
    if changed:
        _errors.print(
            f"{folder}: the environment has changed ({'; '.join(changed)}): the weights may differ slightly from those "
            "of an uninterrupted run"
        )


def _refuse_to_replace(path: Path) -> None:
    description = _describe(path)
    if description:
        advice = _describe_resumption(path.with_name(STATE_FILE))
        raise RunFolderError(
            f"{path.parent} holds {description}: {advice} replace it with --overwrite, "
            "or choose another folder with --out"
        )


def _describe_resumption(place: Path) -> str:
    if not place.exists():
        return f"there is no {STATE_FILE} to resume from;"
    try:
        load_training_state(place)
    except CheckpointError:
        return f"its {STATE_FILE} can't be read, so that the run can't be continued;"
    return "continue it with --resume,"


def _describe(path: Path) -> str:
    state = peek_training_state(path.with_name(STATE_FILE))
    if state is not None:
        config, progress = state["config"], "finished" if state["finished"] else "unfinished"
        epochs = count_of(config.get("epochs", 0), "epoch")
        return f"a run on {config.get('dataset')}, {progress}, {state['epoch']} of {epochs}"
    if not path.exists():
        return "a run" if path.with_name(STATE_FILE).exists() else ""
    try:
        training = load_checkpoint(path).training
    except CheckpointError:
        return f"a file {path.name} that isn't a checkpoint"
    return f"a checkpoint trained on {training.get('dataset')} for {count_of(training.get('epochs', 0), 'epoch')}"
