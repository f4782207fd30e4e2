"""`/admin/models/...`: requests that change nothing, and a folder whose files are damaged or can't be written."""

import socket

import pytest

from tests.support.app import assert_problem, make_service, running, wait_until
from tests.support.models.promotions import KEY, make_content, save_served


@pytest.fixture
def folder(tmp_path):
    """Checkpoints, of which JAX's has a figure."""
    return save_served(tmp_path / "served")


def test_promotion_needs_a_key(folder):
    """Without keys in the settings, nobody may promote; with them, not without one."""
    with running(make_service(folder)) as client:
        assert_problem(client.post("/admin/models/jax/model/promote", content=b""), 403)
    with running(make_service(folder, api_keys="k3y")) as client:
        assert_problem(client.post("/admin/models/jax/model/rollback"), 401)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/admin/models/jax/model/rollback", 409),
        ("/admin/models/caffe/model/rollback", 404),
        ("/admin/models/pytorch/zzz/rollback", 404),
        ("/admin/models/jax/..%2Fx/promote", 404),
        ("/admin/models/jax/model/promote?forced=1", 422),
    ],
)
def test_wrong_requests_are_explained(folder, url, status):
    """Nothing to roll back to, no such framework, no such model, no such name, an unknown option."""
    with running(make_service(folder, api_keys="k3y")) as client:
        assert_problem(client.post(url, headers=KEY), status)


def test_history_of_an_unknown_model_is_404(folder):
    """A model without promotions has an empty one; a name that no model has is named."""
    with running(make_service(folder, api_keys="k3y")) as client:
        known = client.get("/admin/models/jax/model/history", headers=KEY)
        unknown = client.get("/admin/models/jax/birds/history", headers=KEY)

    assert known.json() == {"events": []}
    assert_problem(unknown, 404)


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "history"), ("POST", "rollback"), ("POST", "promote?force=true")]
)
def test_damaged_history_is_a_conflict(folder, tmp_path, method, route):
    """The file that is damaged is named without the server's folder, and what to do about it."""
    history = folder / "jax" / ".history" / "model" / "history.json"
    history.parent.mkdir(parents=True)
    history.write_text("{", encoding="utf-8")
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        response = client.request(
            method, f"/admin/models/jax/model/{route}", headers=KEY, content=content if "promote" in route else b""
        )

    assert_problem(response, 409)
    assert "restore or delete it" in response.json()["detail"]
    assert str(folder) not in response.text


def test_new_model_beside_a_damaged_history_is_not_installed(folder, tmp_path):
    """The history is read before the file is written."""
    history = folder / "jax" / ".history" / "birds" / "history.json"
    history.parent.mkdir(parents=True)
    history.write_text("{", encoding="utf-8")
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        assert_problem(client.post("/admin/models/jax/birds/promote", headers=KEY, content=content), 409)
        assert_problem(client.get("/sample?framework=jax&model=birds", headers=KEY), 404)


@pytest.mark.parametrize("route", ["rollback", "promote?force=true"])
def test_folder_that_cannot_be_written_is_a_conflict(folder, tmp_path, route):
    """The body isn't at fault, and the checkpoint in service stays."""
    (folder / "jax" / ".history" / "model" / "lock").mkdir(parents=True)  # in the way of the file
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        before = client.get("/sample?framework=jax", headers=KEY).json()["checkpoint"]
        response = client.post(f"/admin/models/jax/model/{route}", headers=KEY, content=content)
        after = client.get("/sample?framework=jax", headers=KEY).json()["checkpoint"]

    assert_problem(response, 409)
    assert "jax: can't be written" in response.json()["detail"]
    assert str(folder) not in response.text
    assert before == after


@pytest.mark.parametrize("name", ["model", "birds"])
def test_folder_in_the_way_of_a_companion_file_is_a_conflict(folder, tmp_path, name):
    """Of a model in service and of a new one: the message names the file, and no checkpoint is installed."""
    (folder / "jax" / f"{name}.companion.json").mkdir(parents=True)
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    before = sorted(folder.glob("jax/*.safetensors")), (folder / "jax" / "model.safetensors").read_bytes()
    with running(make_service(folder, api_keys="k3y")) as client:
        response = client.post(f"/admin/models/jax/{name}/promote?force=true", headers=KEY, content=content)

    assert_problem(response, 409)
    assert f"jax/{name}.companion.json: can't be re" in response.json()["detail"]
    assert str(folder) not in response.text
    assert before == (sorted(folder.glob("jax/*.safetensors")), (folder / "jax" / "model.safetensors").read_bytes())


def test_name_that_no_model_can_have_is_explained(folder):
    """A new name needn't be in any list, so the message says which are possible."""
    with running(make_service(folder, api_keys="k3y")) as client:
        response = client.post("/admin/models/jax/bad%20name/promote", headers=KEY, content=b"x")

    assert_problem(response, 404)
    assert "expected 1 to 64 letters" in response.json()["detail"]


def test_body_of_a_promotion_has_the_limits_of_all_bodies(folder, tmp_path):
    """Of memory, time and the client's own deadline, as on the routes of the models."""
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    options = {"api_keys": "k3y", "max_held_bytes": 100_000, "transfer_timeout_s": 0.2}
    with running(make_service(folder, **options)) as client:
        client.headers.update(KEY)
        large = client.post("/admin/models/jax/model/promote", content=content)
        timeout = client.post("/admin/models/jax/model/promote", content=b"x", headers={"X-Request-Timeout": "abc"})
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as sock:
            sock.sendall(
                b"POST /admin/models/jax/model/promote HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y\r\n"
                b"Content-Length: 50000\r\n\r\nx"
            )
            slow = sock.recv(65536)
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as sock:
            sock.sendall(
                b"POST /admin/models/jax/model/promote HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y\r\n"
                b"Content-Length: 50000\r\n\r\nx"
            )
        label = 'route="/admin/models/{framework}/{name}/promote",status='
        wait_until(lambda: f'{label}"499"' in client.get("/metrics").text)
        metrics = client.get("/metrics").text

    assert_problem(large, 413)
    assert_problem(timeout, 422)
    assert slow.startswith(b"HTTP/1.1 408 ")
    assert f'{label}"500"' not in metrics
