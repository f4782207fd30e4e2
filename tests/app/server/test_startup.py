"""The process `python -m app`: how it starts, and how it ends where it can't serve."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.service import save_checkpoints
from training.frameworks import is_installed

ROOT = Path(__file__).parent.parent

# The smallest start there is, for whichever framework is installed.
FRAMEWORK = next((name for name in ("pytorch", "jax", "tensorflow") if is_installed(name)), None)

needs_framework = pytest.mark.skipif(FRAMEWORK is None, reason="no framework is installed")


def command(*arguments):
    """Return the command line of the service."""
    return [sys.executable, "-m", "app", *map(str, arguments)]


def environment(**changes):
    """Return this environment without settings of the service, and with changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


def run(*arguments, **changes):
    """Run the service until it ends by itself."""
    return subprocess.run(
        command(*arguments), env=environment(**changes), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def started(folder, *arguments):
    """Start the service with one framework on a free port, and give the process."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, *arguments)
    process = subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path):
    """A folder of small checkpoints."""
    return save_checkpoints(tmp_path)


def test_help_is_shown():
    """`python -m app --help` succeeds and names the program."""
    result = run("--help")

    assert result.returncode == 0
    assert result.stdout.startswith("usage: python -m app ")


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--prot", "8000"], ["serve"]])
def test_wrong_option_ends_with_2(arguments):
    """A wrong value, an unknown option and a stray word end with exit code 2, and no traceback."""
    result = run(*arguments)

    assert result.returncode == 2
    assert "python -m app: error: " in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_folder_ends_with_1_and_a_line_for_each_framework(tmp_path):
    """Nothing to serve at all: the process says so, for each framework, and ends."""
    result = run("--checkpoints", tmp_path / "nowhere")

    lines = result.stderr.splitlines()
    assert result.returncode == 1
    assert len(lines) == 3
    assert all(line.startswith("python -m app: error: ") for line in lines)


@needs_framework
def test_damaged_checkpoint_ends_with_1(folder):
    """The only checkpoint being damaged, the process says how and ends."""
    path = folder / FRAMEWORK / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])

    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK)

    assert result.returncode == 1
    assert f"{path}: " in result.stderr


@needs_framework
def test_port_in_use_ends_with_1_and_says_what_to_do(folder):
    """Another program listening on the port is told in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", port)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"port {port} of 127.0.0.1 is in use" in result.stderr
    assert "TRIPTYCH_PORT" in result.stderr


@needs_framework
@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_foreign_host_ends_with_1_and_says_what_to_do(folder, host):
    """An address that isn't this machine's is told in one line."""
    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, TRIPTYCH_HOST=host)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"TRIPTYCH_HOST (--host) is '{host}'" in result.stderr


@needs_framework
def test_all_frameworks_failing_later_ends_with_1(folder):
    """Where no device is found, which only loading can tell, the server stops and says why."""
    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, "--device", "cuda", CUDA_VISIBLE_DEVICES="")

    assert result.returncode == 1
    assert f"python -m app: error: {FRAMEWORK} failed to load: " in result.stderr
    assert "Traceback" not in result.stderr


@needs_framework
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_service_starts_serves_and_stops(folder, number):
    """The process says where it listens, loads its framework, answers, and stops when told to."""
    with started(folder) as process:
        line = process.stderr.readline()
        url = re.search(r"Triptych is listening on (http://\S+) \(interactive documentation: \1/docs\)", line)[1]
        while httpx.get(f"{url}/readyz").status_code != 200:
            time.sleep(0.1)
        answer = httpx.get(f"{url}/sample?seed=7").json()
        process.send_signal(number)
        process.wait(20)

    assert answer["framework"] == FRAMEWORK
    assert process.returncode == 0


@needs_framework
def test_service_that_others_can_reach_warns_without_a_key(folder):
    """Listening beyond this machine without a key is logged as a warning."""
    with started(folder, "--host", "0.0.0.0") as process:
        line = process.stderr.readline()

    assert "WARNING" in line
    assert "TRIPTYCH_API_KEYS" in line
