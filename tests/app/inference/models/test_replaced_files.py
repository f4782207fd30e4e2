"""Checkpoint files that are replaced while they are served: a swapped symlink, a write in place."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.support.app import MODEL, checkpoint_path, make_service, note_calls, running, save_snapshots
from tests.support.models.named_models import save_model
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import ModelFile


def test_reload_follows_a_swapped_symlink(tmp_path):
    """A folder mounted as Kubernetes mounts it: the link `..data` is replaced, and a reload serves the new model."""
    for version, seed in (("one", 1), ("two", 2)):
        save_model(tmp_path / version, "model", seed=seed, model=MODEL)
    mounted = tmp_path / "mounted"
    (mounted / "jax").mkdir(parents=True)
    (mounted / "..data").symlink_to(tmp_path / "one")
    (mounted / "jax" / "model.safetensors").symlink_to(mounted / "..data" / "jax" / "model.safetensors")
    with running(make_service(mounted, frameworks="jax", api_keys="k")) as client:
        client.headers["X-API-Key"] = "k"
        before = client.get("/sample").json()["checkpoint"]
        (mounted / "..new").symlink_to(tmp_path / "two")
        (mounted / "..new").replace(mounted / "..data")
        reloaded = client.post("/admin/reload")
        after = client.get("/sample").json()["checkpoint"]

    assert reloaded.status_code == 200
    assert [before, after] == [
        load_checkpoint(tmp_path / version / "jax" / "model.safetensors").sha256[:12] for version in ("one", "two")
    ]


def test_reloads_during_a_write_in_place_never_fail_a_request(model_folder):
    """While a file is rewritten in place (rsync --inplace), each request gets the old or the new model, whole."""
    path = checkpoint_path(model_folder, "jax", "cats")
    contents = [path.read_bytes(), checkpoint_path(model_folder, "jax", "dogs").read_bytes()]
    stop = threading.Event()

    def rewrite():
        for turn in range(1000):
            with path.open("r+b") as file:
                for start in range(0, len(contents[0]), 512):
                    file.seek(start)
                    file.write(contents[turn % 2][start : start + 512])
                    file.flush()
            if stop.wait(0.001):
                return

    with running(make_service(model_folder, frameworks="jax", api_keys="k")) as client:
        client.headers["X-API-Key"] = "k"
        expected = {str(client.get(f"/sample?seed=1&model={name}").json()["probs"]) for name in ("cats", "dogs")}
        writer = threading.Thread(target=rewrite)
        writer.start()
        try:
            reloads, responses, deadline = [], [], time.monotonic() + 2
            while time.monotonic() < deadline:
                reloads.append(client.post("/admin/reload").status_code)
                responses.append(client.get("/sample?seed=1&model=cats"))
        finally:
            stop.set()
            writer.join()

    assert {response.status_code for response in responses} == {200}
    assert {str(response.json()["probs"]) for response in responses} <= expected
    assert set(reloads) <= {200, 409}


@pytest.mark.parametrize("query", ["framework=jax", "framework=pytorch&weights=jax", "framework=jax&epoch=5"])
@pytest.mark.parametrize("change", ["/admin/models/jax/cats/promote", "/admin/reload"])
def test_model_whose_file_is_replaced_while_a_request_loads_it_is_loaded_again(
    model_folder, monkeypatch, query, change
):
    """The request may get the old checkpoint; after the promotion or the reload, all get the new one."""
    model = ModelFile(model_folder, "jax", "cats")
    content = checkpoint_path(model_folder, "jax", "dogs").read_bytes()
    save_snapshots(model)
    has_read, may_end, reloads = threading.Event(), threading.Event(), threading.Event()

    def load(framework, *, path, **options):
        loaded = load_numpy(framework, path=path, **options)
        if path.stem == "cats" and not has_read.is_set():
            has_read.set()
            assert may_end.wait(20)
        return loaded

    app = make_service(model_folder, load=load, frameworks="jax,pytorch", api_keys="k3y")
    note_calls(monkeypatch, app.state.registry, "reload", reloads)
    with running(app) as client, ThreadPoolExecutor() as threads:
        client.headers["X-API-Key"] = "k3y"
        first = threads.submit(client.get, f"/sample?model=cats&{query}")
        assert has_read.wait(20)
        if change == "/admin/reload":
            model.path.write_bytes(content)
            model.snapshots.unlink()
        changed = threads.submit(client.post, change, content=content)
        assert reloads.wait(20)
        may_end.set()
        statuses = first.result().status_code, changed.result().status_code
        after = client.get(f"/sample?model=cats&{query}")

    assert statuses == (200, 200)
    if "epoch" in query:
        assert after.status_code == 404  # the new checkpoint has no snapshots
    else:
        assert after.json()["checkpoint"] == load_checkpoint(checkpoint_path(model_folder, "jax", "dogs")).id
