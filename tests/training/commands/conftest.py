"""Commands of `python -m training`: a folder with images, and a way to run in this process what precedes training."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import write_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the images of `SMALL`, for a command as a user starts it."""
    write_images(tmp_path)
    return tmp_path


@pytest.fixture
def run_here(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in an empty folder, and returns its exit code and output."""

    def run(*arguments):
        from training.commands.application import run as run_application  # noqa: PLC0415 -- it imports the commands

        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["training", *arguments])
        try:
            code = run_application()
        except SystemExit as stopped:
            code = stopped.code
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run
