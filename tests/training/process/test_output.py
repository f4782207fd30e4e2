"""Standard streams that the caller has closed: they are open again, on the null device, for children too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLOSE = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}

SCRIPT = """
import os, subprocess, sys
from training.process.output import open_closed_streams

open_closed_streams()
print("to stdout")
print("to stderr", file=sys.stderr)
file = open(sys.argv[1], "w")
os.write(1, b"of a library")
os.write(2, b"of a library")
code = subprocess.call([sys.executable, "-c", "import os; [os.fstat(number) for number in range(3)]"])
file.write(f"{file.fileno() > 2} {code}")
"""


@pytest.mark.parametrize("closed", [["stdin"], ["stdout"], ["stderr"], ["stdout", "stderr"], [*CLOSE]], ids="+".join)
def test_closed_streams_take_no_file(tmp_path: Path, closed: list[str]) -> None:
    """No file gets the number of a closed stream, and whatever is written to one is lost."""
    root = str(Path(__file__).parents[3])
    path = tmp_path / "file"
    redirections = " ".join(CLOSE[name] for name in closed)

    code = subprocess.call(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", SCRIPT, str(path)],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    assert code == 0
    assert path.read_text() == "True 0"
