"""`app.inference.adapters.process_adapter`: the real frameworks in child processes, and how a child can end."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.inference.adapters import process_adapter
from app.inference.adapters.base import MAX_BATCH, AdapterError
from app.inference.models.loader import load_isolated, load_model
from tests.support.app import CHECKOUT, MODEL, checkpoint_path
from tests.support.processes import has_ended
from training.frameworks import FRAMEWORKS


@pytest.fixture(scope="module", params=FRAMEWORKS)
def local(request, checkpoints):
    """A framework in this process. TensorFlow keeps the threads that it began with, maybe in another test."""
    _, adapter = load_model(request.param, path=checkpoint_path(checkpoints, request.param), device="cpu", threads=1)
    return adapter


@pytest.fixture(scope="module")
def adapter(local, checkpoints):
    """The same framework in a child process, with as many threads: their number decides the last bits."""
    path = checkpoint_path(checkpoints, local.framework)
    _, adapter = load_isolated(local.framework, path=path, device="cpu", threads=local.threads)
    yield adapter
    adapter.close()


@pytest.fixture
def pytorch(checkpoints):
    """PyTorch in a child process, for a test that ends it."""
    _, adapter = load_isolated("pytorch", path=checkpoint_path(checkpoints, "pytorch"), device="cpu", threads=1)
    yield adapter
    adapter.close()


def draw(rows):
    """Return images and eps."""
    generator = np.random.default_rng(rows)
    images = generator.random((rows, MODEL.image_dim), dtype=np.float32)
    return images, generator.standard_normal((rows, MODEL.latent_dim), dtype=np.float32)


def wait_until(condition):
    """Return once the condition holds; the test's timeout ends it otherwise."""
    while not condition():
        time.sleep(0.02)


@pytest.mark.parametrize("rows", [1, 3, MAX_BATCH, 2 * MAX_BATCH + 7])
def test_child_computes_what_this_process_does(adapter, local, rows):
    """Every method, for batches below and above the size of the shared memory, bit for bit."""
    images, eps = draw(rows)
    # Both are given the same pieces: a framework may compute other last bits for other batch sizes.
    pieces = [slice(start, start + MAX_BATCH) for start in range(0, rows, MAX_BATCH)]

    encoded, decoded, reconstructed = adapter.encode(images), adapter.decode(eps), adapter.reconstruct(images, eps)

    for outputs, call in (
        (encoded, lambda piece: local.encode(images[piece])),
        ((decoded,), lambda piece: (local.decode(eps[piece]),)),
        (reconstructed, lambda piece: local.reconstruct(images[piece], eps[piece])),
    ):
        for output, expected_pieces in zip(outputs, zip(*map(call, pieces), strict=True), strict=True):
            np.testing.assert_array_equal(output, np.concatenate(expected_pieces))


def test_child_reports_what_it_is(adapter, local):
    """Version, device and threads are the real adapter's; no compilation happens after the warm-up."""
    before = adapter.count_compilations()
    adapter.reconstruct(*draw(5))

    assert adapter.framework_version
    assert (adapter.device, adapter.threads) == ("cpu", local.threads)
    assert adapter.count_compilations() == before
    assert adapter.find_fault() is None
    assert adapter.pid != os.getpid()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_crash_of_the_child_is_reported_with_its_signal(pytorch, number):
    """An idle child's end is found by `find_fault`, and the next call raises at once."""
    os.kill(pytorch.pid, number)
    wait_until(lambda: pytorch.find_fault() is not None)

    assert pytorch.find_fault() == f"its process was ended by {number.name}"
    with pytest.raises(AdapterError, match=f"its process was ended by {number.name}"):
        pytorch.encode(draw(1)[0])


def test_crash_by_a_signal_without_a_name_is_reported(pytorch):
    """Real-time signals have numbers only."""
    os.kill(pytorch.pid, signal.SIGRTMIN + 1)
    wait_until(lambda: pytorch.find_fault() is not None)

    assert pytorch.find_fault() == f"its process was ended by signal {signal.SIGRTMIN + 1}"


def test_child_that_hangs_while_loading_is_given_up(checkpoints, monkeypatch):
    """It is killed after the time that loading may take."""
    start = process_adapter._start

    def start_and_stop(*arguments):
        child = start(*arguments)
        os.kill(child.pid, signal.SIGSTOP)
        children.append(child)
        return child

    children = []
    monkeypatch.setattr(process_adapter, "_start", start_and_stop)
    path = checkpoint_path(checkpoints, "pytorch")

    with pytest.raises(AdapterError, match=r"didn't load the model within 0\.5 s"):
        load_isolated("pytorch", path=path, device="cpu", threads=1, load_timeout_s=0.5)

    assert [child.returncode for child in children] == [-signal.SIGKILL]


def test_call_in_progress_fails_when_the_child_is_closed(pytorch):
    """A child that hangs holds its caller until it is closed, and no longer."""
    raised = []

    def call():
        try:
            pytorch.encode(draw(1)[0])
        except AdapterError as error:
            raised.append(error)

    os.kill(pytorch.pid, signal.SIGSTOP)
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(timeout=0.3)
    assert thread.is_alive()

    pytorch.close()
    thread.join()

    assert [str(error) for error in raised] == ["its process was ended by SIGKILL"]


def test_memory_beyond_the_limit_is_a_fault(checkpoints):
    """The message names the limit and what was used."""
    _, adapter = load_isolated(
        "pytorch", path=checkpoint_path(checkpoints, "pytorch"), device="cpu", threads=1, max_bytes=2**20
    )

    fault = adapter.find_fault()
    adapter.close()

    assert fault is not None
    assert "more than the limit of 1048576" in fault


def test_signals_of_the_group_leave_the_child_alone(pytorch):
    """Ctrl-C and a service manager's SIGTERM reach the child too; the parent decides when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pytorch.pid, number)

    assert pytorch.encode(draw(1)[0])[0].shape == (1, MODEL.latent_dim)


@pytest.mark.parametrize("stopped", [False, True])
def test_child_ends_with_its_parent_even_if_that_is_killed(checkpoints, stopped):
    """SIGKILL of the parent ends the child, also while the child is stopped."""
    path = str(checkpoint_path(checkpoints, "pytorch"))
    script = (
        "import sys, time; from pathlib import Path\n"
        "from app.inference.models.loader import load_isolated\n"
        f"_, adapter = load_isolated('pytorch', path=Path({path!r}), device='cpu', threads=1)\n"
        "print(adapter.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        if stopped:
            os.kill(pid, signal.SIGSTOP)
        parent.kill()

    wait_until(lambda: has_ended(pid))


def test_closed_adapters_leave_no_process_and_no_file_descriptor(checkpoints):
    """After ten loads, what is open is what was open after the first."""
    counts = []
    for _ in range(10):
        _, adapter = load_isolated("pytorch", path=checkpoint_path(checkpoints, "pytorch"), device="cpu", threads=1)
        pid = adapter.pid
        adapter.close()
        del adapter
        assert has_ended(pid)
        counts.append(len(list(Path("/proc/self/fd").iterdir())))

    assert counts[-1] <= counts[0]
