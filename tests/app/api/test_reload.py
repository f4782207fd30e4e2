"""Keys and checkpoints that change while the service runs, and who may have them read again."""

import pytest

from app.inference.loader import checkpoint_path
from tests.checkpoints import make_checkpoint, make_weights
from tests.service import MODEL, assert_problem, make_service, running, save_checkpoints
from training.checkpoint import save_checkpoint


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
    """Train anew, so to speak."""
    checkpoint = make_checkpoint(MODEL, make_weights(MODEL, seed), framework=framework)
    save_checkpoint(checkpoint_path(folder, framework), checkpoint)


def test_reload_needs_a_key_and_says_how_to_set_one(client):
    """Where the service has no keys nobody may reload it over HTTP."""
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
    """What can't be loaded is told, with what is served still."""
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
        kept = [ask(key) for key in ("carol-3", "größe".encode())]

    assert reloaded.status_code == 200
    assert changed == [200, 401]
    assert_problem(failed, 409)
    assert failed.json()["errors"][0]["where"] == "api_keys"
    assert kept == [200, 401]
