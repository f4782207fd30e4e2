"""`training.process.stop_signals`: signals that arrive while Python discards exceptions."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, signal, threading
from training.process.stop_signals import Stopped, handle_signals

def interrupt(*_):
    gc.callbacks.remove(interrupt)
    signal.raise_signal(signal.{name})

handle_signals()
gc.callbacks.append(interrupt)
try:
    gc.collect()
    threading.Event().wait(60)
except Stopped as stopped:
    print("stopped by", stopped.number)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_within_a_garbage_collector_callback_is_not_lost(name) -> None:
    """Ctrl-C stops the command, without a traceback, though Python discards exceptions of such callbacks."""
    program = [sys.executable, "-c", PROGRAM.format(name=name)]

    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout == f"stopped by {2 if name == 'SIGINT' else 15}\n"
    assert done.stderr == ""
