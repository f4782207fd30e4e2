"""`python -m training train --framework all`: the same command once per framework, one after the other."""

import shlex
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import typer

from training.engine.resume_state import STATE_FILE, peek_training_state
from training.frameworks import trainable_frameworks
from training.process.console import plain_console

_errors = plain_console(stderr=True)

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def train_all(out: Path, *, overwrite: bool) -> None:
    """Run this command once per framework, each in its own process, so that none slows another.

    A signal is forwarded to the running process, which handles it; no further framework is started after it, and the
    command that continues is printed.

    Args:
        out: The folder of the runs' folders.
        overwrite: The command replaces existing runs; the one that continues replaces those of the other frameworks.
    """
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def forward(number: int, _: object) -> None:
        received.append(number)
        if child is not None:
            child.send_signal(number)

    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:  # ignored signals stay ignored, as under nohup
            signal.signal(number, forward)
    frameworks = trainable_frameworks()
    failed: dict[str, int] = {}
    for position, framework in enumerate(frameworks):
        state = out / framework / STATE_FILE
        earlier = _run_of(state)
        # The last value of a repeated option counts. In a process group of its own: Ctrl-C would otherwise reach
        # the child twice, from the terminal and from `forward`.
        command = [sys.executable, "-m", "training", *sys.argv[1:], "--framework", framework]
        child = subprocess.Popen(command, process_group=0)
        code = child.wait()
        if received or code in {128 + number for number in _FORWARDED}:
            _report(failed)
            following = _repeat("all", "--resume")
            if overwrite:
                following = _continue_each(frameworks[position:], has_begun=_run_of(state) != earlier)
            _errors.print(f"stopped; continue with: {following}")
            raise typer.Exit(code if code > 0 else 128 + received[0])
        if code:
            failed[framework] = code
    _report(failed)
    if failed:
        raise typer.Exit(2 if set(failed.values()) == {2} else 1)


def _report(failed: Collection[str]) -> None:
    if failed:
        _errors.print(f"not trained: {', '.join(failed)}")


def _run_of(state: Path) -> str | None:
    """Return the random ID of the run that a state file belongs to, or None without one."""
    description = peek_training_state(state)
    return None if description is None else description["run"]


def _continue_each(frameworks: Sequence[str], *, has_begun: bool) -> str:
    """Return commands that resume the first framework's run, if it has begun, and replace the runs of the others."""
    first, *others = frameworks
    commands = [_repeat(first, "--resume" if has_begun else "--overwrite")]
    return " && ".join([*commands, *(_repeat(framework, "--overwrite") for framework in others)])


def _repeat(framework: str, mode: str) -> str:
    """Return this command with another framework, and with `--resume` or `--overwrite` as given."""
    left_out = {"--framework", "--resume", "--overwrite"}
    arguments = [
        argument
        for before, argument in pairwise(sys.argv[1:])
        if before != "--framework" and argument.partition("=")[0] not in left_out
    ]
    return shlex.join(["python", "-m", "training", "train", "--framework", framework, *arguments, mode])
