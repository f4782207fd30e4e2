"""`/admin/models/...`: promotion and rollback while a client counts the responses."""

import gzip
import threading
from collections import Counter

import httpx
import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.support.app import assert_problem, checkpoint_path, make_service, running
from tests.support.live_service import serving, wait_until_settled
from tests.support.models.promotions import KEY, make_content, save_served
from training.checkpoints.checkpoint import load_checkpoint
from training.config import ModelConfig


@pytest.fixture
def folder(tmp_path):
    """Checkpoints, of which JAX's has a figure."""
    return save_served(tmp_path / "served")


class Load:
    """Requests in several threads until it ends; counts status codes and checkpoints."""

    def __init__(self, client, threads=4):
        self._base_url = client.base_url
        self._stop = threading.Event()
        self.codes, self.checkpoints = Counter(), Counter()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._stop.is_set():
            # A connection each, so that every worker gets some.
            with httpx.Client(base_url=self._base_url, headers=KEY, timeout=60) as client:
                for _ in range(5):
                    response = client.get("/sample?framework=jax&seed=1")
                    self.codes[response.status_code] += 1
                    self.checkpoints[response.json().get("checkpoint")] += 1


def test_promote_and_rollback_under_load_fail_no_request(folder, tmp_path):
    """Every request gets 200 while checkpoints are promoted and rolled back, each served in turn."""
    first = load_checkpoint(checkpoint_path(folder, "jax")).sha256[:12]
    content, second = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client, Load(client) as load:
        client.headers.update(KEY)
        for _ in range(5):
            promoted = client.post("/admin/models/jax/model/promote", content=content)
            served = client.get("/sample?framework=jax").json()["checkpoint"]
            rolled_back = client.post("/admin/models/jax/model/rollback")
            again = client.get("/sample?framework=jax").json()["checkpoint"]
            assert (promoted.status_code, rolled_back.status_code) == (200, 200), promoted.text + rolled_back.text
            assert (served, again) == (second, first)
        events = client.get("/admin/models/jax/model/history").json()["events"]

    assert set(load.codes) == {200}
    assert set(load.checkpoints) <= {first, second}
    assert promoted.json()["event"]["replaced"] == first
    assert f"checkpoint {second} of jax is served" in promoted.json()["served"]["jax"]
    assert [event["action"] for event in events] == ["promote", "rollback"] * 5


def test_all_workers_follow_a_promotion_without_a_failed_request(tmp_path):
    """With two workers and PyTorch, no request fails, and soon all responses are of the new checkpoint."""
    folder = tmp_path / "served"
    make_content(checkpoint_path(folder, "pytorch"), 0, -100.0)
    content, new_id = make_content(tmp_path / "new.safetensors", 1, -99.0)
    # A worker that is still loading at its start would respond with 503.
    options = ("--workers", "2", "--listen-when-ready", "true", "--frameworks", "pytorch", "--checkpoints", str(folder))
    with serving(*options, log=tmp_path / "log", TRIPTYCH_API_KEYS="k3y") as client:
        client.headers.update(KEY)
        wait_until_settled(client)
        codes, checkpoint_ids = Counter(), []
        promoted = client.post("/admin/models/pytorch/model/promote", content=content)
        while len(checkpoint_ids) < 40 or set(checkpoint_ids[-40:]) != {new_id}:
            with httpx.Client(base_url=client.base_url, headers=KEY, timeout=60) as fresh:
                response = fresh.get("/sample?framework=pytorch&seed=1")
            codes[response.status_code] += 1
            checkpoint_ids.append(response.json().get("checkpoint"))
            assert len(checkpoint_ids) < 20_000

    assert promoted.status_code == 200
    assert set(codes) == {200}


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"elbo": -101.0}, 409, "-101.00 +- 0.20 nats (target fixed), worse than -100.00 +- 0.20"),
        ({"model": ModelConfig(image_shape=(4, 9))}, 409, "image_shape is (4, 9), and (28, 28)"),
        ({"cut": 10}, 422, "the body: not a whole safetensors file"),
    ],
)
def test_unfit_checkpoint_is_refused(folder, tmp_path, change, status, message):
    """Nothing changes, on the disk or in service; `force=true` overrides what is only a comparison."""
    before = checkpoint_path(folder, "jax").read_bytes()
    changes = {"elbo": -99.0, "cut": 0} | change
    cut = changes.pop("cut")
    content, _ = make_content(tmp_path / "new.safetensors", 1, **changes)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        response = client.post("/admin/models/jax/model/promote", content=content[: len(content) - cut])
        after = checkpoint_path(folder, "jax").read_bytes()
        forced = client.post("/admin/models/jax/model/promote?force=true", content=content)

    assert_problem(response, status)
    assert message in response.json()["detail"]
    assert after == before
    assert forced.status_code == 200


def test_new_name_is_served_at_once(folder, tmp_path):
    """A promotion under a name that no model has adds a model."""
    content, new_id = make_content(tmp_path / "new.safetensors", 1, -99.0, ModelConfig(image_shape=(4, 9)))
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY)
        promoted = client.post("/admin/models/torch/cats/promote", content=content)
        body = client.get("/sample?framework=pytorch&model=cats").json()

    assert promoted.status_code == 200
    assert body["checkpoint"] == new_id


def refusing(refused):
    """Return a load function that fails for the checkpoints in a set of IDs."""

    def load(framework, *, path, **options):
        checkpoint, adapter = load_numpy(framework, path=path, **options)
        if checkpoint.id in refused:
            raise RuntimeError("no memory")
        return checkpoint, adapter

    return load


def test_rollback_to_a_checkpoint_that_does_not_load_changes_nothing(folder, tmp_path):
    """The current checkpoint stays, on the disk and in service, and not the one before the broken one."""
    contents = [make_content(tmp_path / "new.safetensors", seed, -99.0 + seed) for seed in (1, 2)]
    refused = set()
    with running(make_service(folder, load=refusing(refused), api_keys="k3y")) as client:
        client.headers.update(KEY)
        for content, _ in contents:
            assert client.post("/admin/models/jax/model/promote", content=content).status_code == 200
        refused.add(contents[0][1])
        response = client.post("/admin/models/jax/model/rollback")
        served = client.get("/sample?framework=jax").json()["checkpoint"]

    assert_problem(response, 409)
    assert served == contents[1][1]
    assert checkpoint_path(folder, "jax").read_bytes() == contents[1][0]


def test_first_promotion_that_does_not_load_leaves_no_model(folder, tmp_path):
    """The name is as unknown as before."""
    content, new_id = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, load=refusing({new_id}), api_keys="k3y")) as client:
        client.headers.update(KEY)
        response = client.post("/admin/models/jax/cats/promote", content=content)
        requested = client.get("/sample?framework=jax&model=cats")

    assert_problem(response, 409)
    assert_problem(requested, 404)
    assert not checkpoint_path(folder, "jax", "cats").exists()


@pytest.mark.parametrize(
    ("encoding", "compress", "status"),
    [("gzip", gzip.compress, 200), ("identity", bytes, 200), ("br", bytes, 415)],
)
def test_body_is_decompressed_as_elsewhere(folder, tmp_path, encoding, compress, status):
    """A checkpoint may be sent in gzip or deflate; another encoding is named."""
    content, _ = make_content(tmp_path / "new.safetensors", 1, -99.0)
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers.update(KEY | {"Content-Encoding": encoding})
        response = client.post("/admin/models/jax/model/promote", content=compress(content))

    assert response.status_code == status, response.text
