"""`python -m app` and `python -m training`: signals that arrive while a command is being imported."""

import subprocess
import sys

import pytest

PROGRAM = """
import runpy, signal, sys

class Interrupt:
    def find_spec(name, path=None, target=None):
        if name == "{imported}":
            sys.meta_path.remove(Interrupt)
            signal.raise_signal(signal.{sent})

sys.meta_path.insert(0, Interrupt)
sys.argv[1:] = {words}
runpy.run_module("{package}", run_name="__main__", alter_sys=True)
"""
"""Runs a command, and sends the process a signal when it imports a module."""


@pytest.mark.parametrize(
    ("package", "command", "imported", "line"),
    [
        ("app", "", "pydantic", "python -m app: stopped"),
        ("app", "client", "numpy", "python -m app client: stopped"),
        ("app", "status", "numpy", "python -m app status: stopped"),
        ("app", "models", "numpy", "python -m app models: stopped"),
        ("training", "train", "typer", "stopped"),
        ("training", "show", "numpy", "stopped"),
    ],
)
@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_signal_during_an_import_ends_a_command_with_one_line(package, command, imported, line, sent, code):
    """Ctrl-C shows no traceback of the import that it interrupted; the service ends with 0 at SIGTERM, as later."""
    arguments = [*command.split(), "--help"]
    program = PROGRAM.format(imported=imported, sent=sent, words=arguments, package=package)

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)

    is_service = (package, command) == ("app", "")
    assert done.returncode == (0 if is_service and sent == "SIGTERM" else code)
    assert done.stderr == f"{line}\n"
    assert done.stdout == ""
