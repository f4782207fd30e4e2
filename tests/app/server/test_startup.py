"""The process `python -m app`: how it starts, and how it ends where it can't serve."""

import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.app import save_checkpoints
from tests.support.service_process import FRAMEWORK, command, environment, needs_framework


def run(*arguments, **changes):
    """Run the service until it ends by itself."""
    return subprocess.run(
        command(*arguments), env=environment(**changes), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def started(folder, *arguments):
    """Start the service with one framework on a free port, and give the process."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, "--log-format", "text", *arguments)
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
def test_folder_of_models_with_other_names_ends_with_1_and_names_the_option(folder):
    """Without the default model, the process lists the models that the folder has, and says how to serve them."""
    (folder / FRAMEWORK / "model.safetensors").rename(folder / FRAMEWORK / "shapes.safetensors")

    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "its folder has shapes: serve with --models shapes (TRIPTYCH_MODELS)" in result.stderr


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
    """A port in use is reported in one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", port)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"port {port} of 127.0.0.1 is in use" in result.stderr
    assert "TRIPTYCH_PORT" in result.stderr


@needs_framework
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_own", [True, False])
def test_grpc_port_in_use_is_one_line(folder, workers, is_own):
    """The port of HTTP, or another program's, is named with the reason, and gRPC logs nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        port, grpc_port = free.getsockname()[1], taken.getsockname()[1]
        free.close()
        grpc_port = port if is_own else grpc_port
        arguments = ("--port", port, "--grpc-port", grpc_port, "--workers", workers, "--frameworks", FRAMEWORK)
        result = run("--checkpoints", folder, *arguments)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"TRIPTYCH_GRPC_PORT (--grpc-port) is {grpc_port}, which can't be listened on (" in result.stderr


def is_handled(pid, number):
    """Return whether a process catches or ignores a signal."""
    masks = re.findall(r"^Sig(?:Cgt|Ign):\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


@needs_framework
@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, None), (signal.SIGTERM, 0)])
def test_signal_during_the_first_imports(folder, number, code):
    """A reload has nothing to reload yet, and a stop is a stop."""
    line = command("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0)
    with subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        while not is_handled(process.pid, number):
            time.sleep(0.001)
        process.send_signal(number)
        time.sleep(0.5)
        ended = process.poll()
        process.terminate()
        process.communicate(timeout=20)

    assert (ended, process.returncode) == (code, 0)


@needs_framework
@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "a..b", "a" * 64 + ".example"])
def test_foreign_host_ends_with_1_and_says_what_to_do(folder, host):
    """An address of another machine is reported in one line."""
    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, TRIPTYCH_HOST=host)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"TRIPTYCH_HOST (--host) is '{host}'" in result.stderr


@needs_framework
def test_all_frameworks_failing_later_ends_with_1(folder):
    """If loading finds no device, the server stops and gives the reason."""
    result = run("--checkpoints", folder, "--frameworks", FRAMEWORK, "--device", "cuda", CUDA_VISIBLE_DEVICES="")

    assert result.returncode == 1
    assert f"python -m app: error: {FRAMEWORK} failed to load: " in result.stderr
    assert "Traceback" not in result.stderr


@needs_framework
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_service_starts_serves_and_stops(folder, number):
    """The process says where it listens, loads its framework, answers, and says that it stops; it logs nothing else."""
    with started(folder) as process:
        line = process.stderr.readline()
        url = re.search(r"Triptych is listening on (http://\S+) \(interactive documentation: \1/docs\)", line)[1]
        while httpx.get(f"{url}/readyz").status_code != 200:
            time.sleep(0.1)
        answer = httpx.get(f"{url}/sample?seed=7").json()
        process.send_signal(number)
        process.wait(20)
        lines = process.stderr.read().splitlines()

    assert answer["framework"] == FRAMEWORK
    assert process.returncode == 0
    assert [line[28:].split(" after")[0] for line in lines] == [f"{FRAMEWORK} is ready on cpu", "Triptych has stopped"]


@needs_framework
def test_service_that_others_can_reach_warns_without_a_key(folder):
    """Listening beyond this machine without a key is logged as a warning."""
    with started(folder, "--host", "0.0.0.0") as process:
        line = process.stderr.readline()

    assert "WARNING" in line
    assert "TRIPTYCH_API_KEYS" in line


@needs_framework
@pytest.mark.parametrize("workers", [1, 2])
def test_service_listens_only_when_ready_if_set(folder, workers):
    """With --listen-when-ready no client can connect before the models are loaded; the first that can is served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    statuses = []
    with started(folder, "--port", port, "--listen-when-ready", "true", "--workers", workers) as process:
        assert "will listen on" in process.stderr.readline()
        refused = 0
        while not statuses:
            try:
                statuses.append(httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code)
            except httpx.ConnectError:
                refused += 1
                time.sleep(0.02)

    assert refused
    assert statuses == [200]


@needs_framework
def test_service_that_waits_for_models_stops_at_once(folder):
    """While it loads and doesn't listen yet, one signal ends the process with 0, without waiting for the models."""
    with started(folder, "--listen-when-ready", "true") as process:
        process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(10)
        lines = process.stderr.read()

    assert process.returncode == 0
    assert "Traceback" not in lines
    assert lines.endswith("Triptych has stopped\n")


@needs_framework
@pytest.mark.parametrize("workers", [1, 2])
def test_folder_of_metrics_that_is_missing(folder, workers):
    """One process needs none; several say so in one line."""
    arguments = ("--checkpoints", folder, "--frameworks", FRAMEWORK, "--port", 0, "--workers", workers)
    line, variables = command(*arguments), environment(PROMETHEUS_MULTIPROC_DIR="/no/such/folder")
    with subprocess.Popen(line, env=variables, stderr=subprocess.PIPE, text=True) as process:
        process.stderr.readline()  # where it listens
        second = process.stderr.readline()
        if workers == 1:  # several end by themselves
            process.terminate()
        rest = process.communicate(timeout=20)[1]

    assert "Traceback" not in rest
    assert ("ready on" if workers == 1 else "several workers need a folder for their metrics") in second
