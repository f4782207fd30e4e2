"""`python -m training train --framework all`: the same command once per framework, one after the other."""

import shlex
import signal
import subprocess
import sys

import typer
from rich.console import Console

from training.frameworks import FRAMEWORKS

_errors = Console(stderr=True)

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def train_all() -> None:
    """Run this command once per framework, each in a process of its own, so that none slows another.

    A signal is passed to the one that runs, which decides what it means; after it, no other is started.
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
    for framework in FRAMEWORKS:
        # Of an option given twice, the last counts. A group of its own, for a terminal's Ctrl-C would otherwise reach
        # the child twice: from the terminal and from here.
        words = [sys.executable, "-m", "training", *sys.argv[1:], "--framework", framework]
        child = subprocess.Popen(words, process_group=0)
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
    again = [word for word in sys.argv[1:] if word != "--resume"]
    _errors.print(
        f"stopped; go on with all: {shlex.join(['python', '-m', 'training', *again, '--resume'])}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    raise typer.Exit(code)
