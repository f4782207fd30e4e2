"""Keys and checkpoints that change while the service runs, and who may have them read again."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import StartupError
from tests.support.app import MODEL, assert_problem, checkpoint_path, make_service, running, save_checkpoints
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def folder(tmp_path):
    """A folder of checkpoints that may be changed."""
    return save_checkpoints(tmp_path)


@pytest.fixture
def key_file(tmp_path):
    """A file of API keys."""
    path = tmp_path / "keys"
    path.write_text("# who may ask\nalice-1  # until May\n\nbob#2\n")
    return path


def change_checkpoint(folder, framework, seed=77):
    """Replace the checkpoint by another."""
    checkpoint = make_checkpoint(MODEL, make_weights(MODEL, seed), framework=framework)
    save_checkpoint(checkpoint_path(folder, framework), checkpoint)


def test_reload_needs_a_key_and_says_how_to_set_one(client):
    """A service without keys refuses reloads over HTTP."""
    response = client.post("/admin/reload")

    assert_problem(response, 403)
    assert "TRIPTYCH_API_KEYS" in response.json()["detail"]
    assert "SIGHUP" in response.json()["detail"]


@pytest.mark.parametrize("url", ["/admin/reload", "/admin/reload?framework=flax"])
def test_reload_serves_what_the_file_holds_now(folder, url):
    """A new checkpoint is served once it is asked for, of one framework or of all."""
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        before = client.get("/sample?framework=jax").json()["checkpoint"]
        change_checkpoint(folder, "jax")
        response = client.post(url)
        after = client.get("/sample?framework=jax").json()["checkpoint"]

    assert response.status_code == 200
    assert after != before
    assert after in response.json()["reloaded"]["jax"]
    assert len(response.json()["reloaded"]) == (1 if "framework" in url else 3)


def test_reload_of_a_bad_file_is_409_and_changes_nothing(folder):
    """A failed load is reported, with the checkpoint that is still served."""
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        before = client.get("/sample?framework=jax&seed=1").json()
        checkpoint_path(folder, "jax").write_bytes(b"nonsense")
        response = client.post("/admin/reload?framework=jax")
        after = client.get("/sample?framework=jax&seed=1").json()

    assert_problem(response, 409)
    assert response.json()["errors"][0]["where"] == "jax"
    assert f"checkpoint {before['checkpoint']} is still served" in response.json()["detail"]
    assert after == before


def test_reload_of_a_framework_that_is_not_served_is_503(folder):
    """A framework that exists, but that the settings leave out."""
    with running(make_service(folder, frameworks="jax", api_keys="k3y")) as client:
        response = client.post("/admin/reload?framework=torch", headers={"X-API-Key": "k3y"})

    assert_problem(response, 503)
    assert "jax" in response.json()["detail"]


def test_keys_of_the_file_count_beside_those_of_the_settings(folder, key_file):
    """Comments and empty lines are no keys."""
    with running(make_service(folder, frameworks="jax", api_keys="k3y", api_keys_file=key_file)) as client:
        statuses = {
            key: client.get("/sample", headers={"X-API-Key": key}).status_code
            for key in ("k3y", "alice-1", "bob#2", "", "#", "until")
        }

    assert statuses == {"k3y": 200, "alice-1": 200, "bob#2": 200, "": 401, "#": 401, "until": 401}


def test_keys_are_changed_without_a_restart(folder, key_file):
    """After a reload the file's new keys are known and its old ones are not; a bad file changes nothing."""
    with running(make_service(folder, frameworks="jax", api_keys="k3y", api_keys_file=key_file)) as client:

        def ask(key):
            return client.get("/sample", headers={"X-API-Key": key}).status_code

        key_file.write_text("carol-3\n")
        reloaded = client.post("/admin/reload", headers={"X-API-Key": "bob#2"})
        changed = [ask(key) for key in ("carol-3", "bob#2")]
        key_file.write_text("größe\n")
        failed = client.post("/admin/reload", headers={"X-API-Key": "carol-3"})
        after_failure = [ask(key) for key in ("carol-3", "größe".encode())]

    assert reloaded.status_code == 200
    assert changed == [200, 401]
    assert_problem(failed, 409)
    assert failed.json()["errors"][0]["where"] == "api_keys"
    assert after_failure == [200, 401]


def link_release(folder, name, seed):
    """Point the folder of checkpoints at a new release in one step, as Kubernetes does with its volumes."""
    release = folder.parent / name
    release.mkdir()
    save_checkpoints(release)
    change_checkpoint(release, "jax", seed)
    link = folder.parent / f"{name}-link"
    link.symlink_to(release.name)
    link.replace(folder)


def test_reload_follows_a_swapped_link_to_a_folder(tmp_path):
    """Until a reload the old release is served, then the new one, also once the old folder is gone."""
    folder = tmp_path / "current"
    link_release(folder, "one", seed=1)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        before = client.get("/sample?framework=jax&seed=1").json()
        link_release(folder, "two", seed=2)
        shutil.rmtree(tmp_path / "one")
        unchanged = client.get("/sample?framework=jax&seed=1").json()
        response = client.post("/admin/reload?framework=jax")
        after = client.get("/sample?framework=jax&seed=1").json()

    assert unchanged == before
    assert response.status_code == 200
    assert after["checkpoint"] == load_checkpoint(checkpoint_path(tmp_path / "two", "jax")).sha256[:12]
    assert after["probs"] != before["probs"]


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_reload_of_a_file_that_is_being_written_serves_the_old_one(folder, share):
    """Of a file written in place, as `rsync --inplace` and `cp` do, nothing is served until it is whole."""
    path = checkpoint_path(folder, "jax")
    old = path.read_bytes()
    change_checkpoint(folder, "jax")
    new = path.read_bytes()
    written = int(len(new) * share)
    path.write_bytes(old)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        before = client.get("/sample?framework=jax&seed=1").json()
        statuses = []
        for content in (new[:written], new[:written] + old[written:], new):
            path.write_bytes(content)
            statuses.append(client.post("/admin/reload?framework=jax").status_code)
            if content not in (old, new):
                assert client.get("/sample?framework=jax&seed=1").json() == before
        after = client.get("/sample?framework=jax&seed=1").json()

    assert statuses == [409, 200 if share == 0 else 409, 200]
    assert after["probs"] != before["probs"]


def test_reload_while_files_are_replaced_serves_one_whole(folder):
    """While checkpoints are replaced again and again, each reload serves one of them whole, never a mixture."""
    stopped = threading.Event()

    def replace_files():
        while not stopped.is_set():
            for seed in (1, 2):
                change_checkpoint(folder, "jax", seed)

    def reload_and_sample():
        assert client.post("/admin/reload?framework=jax").status_code == 200
        return client.get("/sample?framework=jax&seed=1").json()["probs"]

    with running(make_service(folder, api_keys="k3y")) as client, ThreadPoolExecutor(1) as pool:
        client.headers["X-API-Key"] = "k3y"
        expected = []
        for seed in (1, 2):
            change_checkpoint(folder, "jax", seed)
            expected.append(reload_and_sample())
        writing = pool.submit(replace_files)
        try:
            samples = [reload_and_sample() for _ in range(15)]
        finally:
            stopped.set()
        writing.result()

    assert all(probs in expected for probs in samples)


def test_file_of_keys_may_begin_with_a_byte_order_mark(folder, key_file):
    """Editors of Windows write one."""
    key_file.write_text("\ufefffirst-key\r\n")

    with running(make_service(folder, frameworks="jax", api_keys_file=key_file)) as client:
        assert client.get("/frameworks", headers={"X-API-Key": "first-key"}).status_code == 200


def test_file_of_keys_that_is_no_file_is_refused(folder, tmp_path):
    """A pipe could be read once, and no reload could read it again."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(StartupError, match="no regular file"):
        make_service(folder, api_keys_file=tmp_path / "pipe")
