"""`training.process.stderr_filter`: lines that match are dropped, all others pass, whoever writes them."""

import subprocess
import sys

from tests.support.live_service import CHECKOUT

SCRIPT = """
import os, sys
from training.process.stderr_filter import drop_stderr_lines

print("before: noise", file=sys.stderr)
with drop_stderr_lines("noise|chatter"):
    os.write(2, b"some noise\\nkept\\nchatter")
    os.write(2, b" in pieces\\n")
    print("kept too", file=sys.stderr)
    {inside}
print("after: noise", file=sys.stderr)
"""

CLOSED = """
import os
from training.process.stderr_filter import drop_stderr_lines

os.close(2)
with drop_stderr_lines("noise"):
    pass
"""


def run(script):
    """Return exit code and stderr of a script."""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )
    return result.returncode, result.stderr


def test_matching_lines_are_dropped_while_the_filter_is_on():
    """Lines of the file descriptor and of sys.stderr alike; before and after, nothing is filtered."""
    assert run(SCRIPT.format(inside="pass")) == (0, "before: noise\nkept\nkept too\nafter: noise\n")


def test_exception_inside_the_filter_is_shown():
    """The error that ends the process is always shown."""
    code, errors = run(SCRIPT.format(inside="raise SystemError('broken')"))

    assert code == 1
    assert errors.endswith("SystemError: broken\n")


def test_closed_stderr_is_no_error():
    """A process without a stderr runs all the same."""
    assert run(CLOSED) == (0, "")


def test_importing_tensorflow_prints_nothing():
    """Neither oneDNN's line nor absl's is shown."""
    assert run("import training.tensorflow_vae.model") == (0, "")
