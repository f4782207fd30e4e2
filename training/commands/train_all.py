"""`python -m training train --framework all`: the same command once per framework, one after the other."""

import shlex
import signal
import subprocess
import sys

import typer
from rich.console import Console

from training.frameworks import trainable_frameworks

_errors = Console(stderr=True)

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def train_all() -> None:
    """Run this command once per framework, each in its own process, so that none slows another.

    A signal is forwarded to the running process, which handles it; no further framework is started after it.
    """
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def forward(number: int, _: object) -> None:
        received.append(number)
        if child is not None:
            child.send_signal(number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    failed = []
    for framework in trainable_frameworks():
        # The last value of a repeated option counts. In a process group of its own: Ctrl-C would otherwise reach
        # the child twice, from the terminal and from `forward`.
        command = [sys.executable, "-m", "training", *sys.argv[1:], "--framework", framework]
        child = subprocess.Popen(command, process_group=0)
        code = child.wait()
        if received:
            _stop(code if code > 0 else 128 + received[0])
        if code in {128 + number for number in _FORWARDED}:
            _stop(code)
        if code:
            failed.append(framework)
    if failed:
        _errors.print(f"not trained: {', '.join(failed)}")
        raise typer.Exit(1)


def _stop(code: int) -> None:
    arguments = [argument for argument in sys.argv[1:] if argument not in {"--resume", "--overwrite"}]
    _errors.print(
        f"stopped; continue with: {shlex.join(['python', '-m', 'training', *arguments, '--resume'])}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    raise typer.Exit(code)
