"""Commands and scripts of documents, and running them in a scratch folder with this Python."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.live_service import CHECKOUT

ADDRESS = "http://127.0.0.1:8000"
"""Address of the service in documents."""

PYTHON = ".venv/bin/python"
"""Path of Python in documents."""

# Options that shorten long commands: the last of two equal options counts.
_SHORT = {
    "train": " --epochs 1 --hidden-dim 8 --no-figures",
    "evaluate": " --samples 1 --draws 1",
    "sweep": " --epochs 1 --seeds 1 --hidden-dim 8 --latent-dim 2",
}


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the code blocks for a shell (`sh`) and for Python (`python`), in order, those within lists too."""
    matches = re.findall(r"^( *)```(sh|python)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [(kind, re.sub(f"^{indent}", "", block, flags=re.MULTILINE)) for indent, kind, block in matches]


def lines(block: str) -> list[str]:
    """Return the commands of a shell's block, each in one line."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def scratch(folder: Path) -> Path:
    """Make a folder one in which relative paths mean what they mean in a checkout; its checkpoints are a copy."""
    (folder / "docs").symlink_to(CHECKOUT / "docs")
    shutil.copytree(CHECKOUT / "checkpoints", folder / "checkpoints")
    return folder


def shorten(command: str) -> str:
    """Return a command of `python -m training` that does the same with less work; others as they are."""
    tokens = shlex.split(command)
    if tokens[:3] != [PYTHON, "-m", "training"] or tokens[-1] == "--help":
        return command
    # The embedded images are many: fewer, larger steps.
    batch = " --batch-size 5000" if tokens[3] == "train" and "--dataset" not in tokens else ""
    # Several of this option are several bounds.
    command = re.sub(r" --samples \d+", "", command)
    return command + _SHORT.get(tokens[3], "") + batch


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a shell in a folder."""
    return _run(["bash", "-euc", command.replace(PYTHON, shlex.quote(sys.executable))], folder)


def run_python(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with every warning an error."""
    return _run([sys.executable, "-W", "error", "-c", script], folder)


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
