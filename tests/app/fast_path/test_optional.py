"""The fast path is optional: by its setting, and as a package."""

import shutil
import subprocess
import sys

from app.protocol.connection import BoundedConnection
from tests.support.app import CHECKOUT, make_service

SCRIPT = """
import sys
from pathlib import Path
import app
from tests.support.app import make_images, make_service, post_npy, running
assert Path(app.__file__).is_relative_to(sys.argv[1])
with running(make_service(Path(sys.argv[2]), frameworks="jax")) as client:
    for url in ("/reconstruct?seed=1", "/encode", "/score"):
        assert post_npy(client, url, make_images(1)).status_code == 200
    assert client.get("/sample").status_code == 200
"""


def test_setting_turns_the_fast_path_off():
    """Without it every request is the application's."""
    assert make_service("nowhere", fast_path=False).new_connection is BoundedConnection
    assert make_service("nowhere", fast_path=True).new_connection is not BoundedConnection


def test_service_works_without_the_package(checkpoints, tmp_path):
    """Deleting the folder leaves a service that works."""
    for folder in ("app", "training", "tests/support"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "web"))
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "app" / "web").mkdir()
    shutil.rmtree(tmp_path / "app" / "fast_path")

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(checkpoints)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
