"""Forms that promote a checkpoint with the files that belong to it: companion and snapshots."""

import pytest

from tests.support.app import assert_problem, checkpoint_path, make_service, running
from tests.support.models.promotions import KEY, companion_of, make_content, save_served, snapshots_of


@pytest.fixture
def folder(tmp_path):
    """Checkpoints, of which JAX's has a figure."""
    return save_served(tmp_path / "served")


def test_companion_is_promoted_with_its_checkpoint(folder, tmp_path):
    """A form brings both files, which are served together; the rollback brings back the state before."""
    content, new_id = make_content(tmp_path / "new.safetensors", 1, -99.0)
    files = {"checkpoint": content, "companion": companion_of(new_id)}
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        promoted = client.post("/admin/models/jax/model/promote", files=files)
        companion = client.get("/models/jax/model/companion")
        client.post("/admin/models/jax/model/rollback")
        before = client.get("/models/jax/model/companion")

    assert promoted.json()["event"]["checkpoint"] == new_id
    assert companion.content == files["companion"]
    assert before.status_code == 404


def test_snapshots_are_promoted_with_their_checkpoint(folder, tmp_path):
    """The weights of earlier epochs arrive in a form, and `epoch=` computes with them."""
    path = checkpoint_path(tmp_path / "run", "jax")
    content, new_id = make_content(path, 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        files = {"checkpoint": content, "snapshots": snapshots_of(path)}
        promoted = client.post("/admin/models/jax/model/promote", files=files)
        sample = client.get("/sample?framework=jax&epoch=5").json()

    assert promoted.status_code == 200, promoted.text
    assert (sample["checkpoint"], sample["epoch"]) == (new_id, 5)


@pytest.mark.parametrize(
    ("run", "cut", "message"),
    [
        ("other", 0, "the snapshots file in the form belongs to another checkpoint: train again with --snapshots"),
        ("run", 4, "the snapshots file in the form: not a whole safetensors file"),
        ("run", None, "the snapshots file in the form: not a whole safetensors file"),
    ],
)
def test_unfit_snapshots_are_refused(folder, tmp_path, run, cut, message):
    """Another checkpoint's snapshots, a cut file and an empty one are 422 in their field; nothing changes."""
    paths = {name: checkpoint_path(tmp_path / name, "jax") for name in ("run", "other")}
    contents = {name: make_content(path, seed, -99.0)[0] for seed, (name, path) in enumerate(paths.items())}
    snapshots = b"" if cut is None else snapshots_of(paths[run], cut=cut)
    before = checkpoint_path(folder, "jax").read_bytes()
    with running(make_service(folder, api_keys="k3y")) as client:
        files = {"checkpoint": contents["run"], "snapshots": snapshots}
        response = client.post("/admin/models/jax/model/promote", files=files, headers=KEY)

    assert_problem(response, 422)
    assert response.json()["errors"][0]["where"] == "body.snapshots"
    assert message in response.json()["detail"]
    assert checkpoint_path(folder, "jax").read_bytes() == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"companion": companion_of("0")}, "body.checkpoint is missing"),
        ({"checkpoint": b"", "companion": companion_of("0" * 12)}, "belongs to another checkpoint"),
        ({"checkpoint": b"", "companion": b"{"}, "can't be read"),
        ({"checkpoint": b"", "model": b""}, "expected one file in each of checkpoint, companion, snapshots"),
    ],
)
def test_unfit_form_is_refused(folder, files, message):
    """A form without a checkpoint, with another's companion, or with another field is 422; nothing changes."""
    before = checkpoint_path(folder, "jax").read_bytes()
    with running(make_service(folder, api_keys="k3y")) as client:
        response = client.post("/admin/models/jax/model/promote", files=files, headers=KEY)

    assert_problem(response, 422)
    assert message in response.json()["detail"]
    assert checkpoint_path(folder, "jax").read_bytes() == before


def test_companion_that_is_nested_deeply_is_refused(folder, tmp_path):
    """It is damaged, like any other that can't be read."""
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        files = {"checkpoint": content, "companion": b"[" * 100_000}
        response = client.post("/admin/models/jax/model/promote", files=files)

    assert_problem(response, 422)
    assert "the companion file in the form can't be read" in response.json()["detail"]


def test_companion_of_the_checkpoint_in_service_is_installed(folder, tmp_path):
    """A checkpoint that is in service already stays, and gets the file that was missing."""
    content, new_id = make_content(tmp_path / "new.safetensors", 1, -99.0)
    files = {"checkpoint": content, "companion": companion_of(new_id)}
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        for form in ({"checkpoint": content}, files):
            assert client.post("/admin/models/jax/model/promote", files=form).status_code == 200
        companion = client.get("/models/jax/model/companion")
        events = client.get("/admin/models/jax/model/history").json()["events"]

    assert companion.content == files["companion"]
    assert len(events) == 1
