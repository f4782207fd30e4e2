"""Fixtures that several test files share."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from app.process_tuning import freeze_gc
from tests.support.app import make_service, running, save_checkpoints
from tests.support.backends import Backend
from tests.support.live_service import serving, wait_until_settled
from tests.support.packages import FRAMEWORK_PACKAGES
from training.frameworks import FRAMEWORKS

# Before any framework is imported: PyTorch's threads otherwise wait by spinning, on cores that other tests need.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A busy machine is no fault of the code under test.
settings.register_profile("triptych", settings.default, deadline=None)
settings.load_profile("triptych")

LONG = {
    "test_compare",
    "test_comparison_twins",
    "test_data_parallel",
    "test_docs",
    "test_environment",
    "test_frame",
    "test_gateway",
    "test_isolation",
    "test_readme",
    "test_resume",
    "test_run",
    "test_schemathesis",
    "test_snapshots",
    "test_surroundings",
    "test_train",
    "test_training",
}
"""Files that take longest: trainings, services and browsers."""


INTEROP = Path(__file__).parent / "interop"


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the environment of this process and those that it starts.

    The code that JAX compiles is kept: the same models are compiled often. A shell's background job ignores SIGINT, and
    so would the programs that tests interrupt.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = TemporaryDirectory(prefix="jax-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out tests/interop, which installs other programs, unless the command line names it (`make interop`)."""
    is_named = any("interop" in argument for argument in config.args)
    return True if collection_path == INTEROP and not is_named else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files: of two processes, one would otherwise wait for the other's last."""
    items.sort(key=lambda item: item.path.stem not in LONG)
    # Of several with one id xdist would run one.
    ids = Counter(item.nodeid for item in items)
    assert len(ids) == len(items), [nodeid for nodeid, count in ids.items() if count > 1]
    # Importing a test imports no framework, so that a machine with one framework runs the tests of that one.
    assert not sys.modules.keys() & set(FRAMEWORK_PACKAGES), "a test module imports a framework at its top level"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long bytes by their length: archives hold the time, and processes of xdist must find the same ids."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > 40 else None


@pytest.fixture(scope="module", autouse=True)
def _exempt_older_objects():
    """Exempt the objects of earlier files from garbage collections.

    A service collects garbage before it loads a model. With three frameworks in the process of the tests, that takes a
    second unless they are exempt, as they are in a service of their own.
    """
    freeze_gc()


@pytest.fixture(scope="session", params=FRAMEWORKS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each framework in turn."""
    return Backend(request.param)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """A folder with a small checkpoint for each framework."""
    return save_checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session")
def client(checkpoints):
    """A client of a service whose three frameworks are ready."""
    with running(make_service(checkpoints)) as client:
        yield client


@pytest.fixture(scope="session")
def live_client(tmp_path_factory):
    """A client of the real service, a process of its own with the committed checkpoints, all of them ready."""
    with serving(log=tmp_path_factory.mktemp("live") / "log") as client:
        entries = wait_until_settled(client)
        assert all(entry["ready"] for entry in entries.values()), entries
        yield client
