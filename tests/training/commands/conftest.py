"""Commands of `python -m training` in the process of the tests, for what precedes training: options, errors, help."""

import subprocess
import sys

import pytest


@pytest.fixture
def run_here(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in an empty folder, and returns its exit code and output."""

    def run(*words):
        from training.commands.application import run as run_application  # noqa: PLC0415 -- it imports the commands

        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["training", *words])
        try:
            code = run_application()
        except SystemExit as stopped:
            code = stopped.code
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return run
