"""The service on a real Ray cluster of two nodes: the same responses, and no request lost, whatever ends a replica."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import yaml

from app.client import Client, ClientError
from tests.support.deployment.ray_cluster import FILE, ray_cluster
from tests.support.live_service import serving, wait_until_settled

IMAGES = np.random.default_rng(1).random((3, 784), dtype=np.float32)

RECONSTRUCT = "/reconstruct?framework=pytorch&seed=7"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with two replicas of one core."""
    with ray_cluster(tmp_path_factory.mktemp("ray")) as cluster:
        cluster.deploy()
        yield cluster


class Load:
    """Several clients of the project that send without a pause until the end of the context."""

    def __init__(self, url: str, clients: int = 8) -> None:
        self._url = url
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(clients)]
        self.answered = 0
        self.lost: list[str] = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for(50)
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Return once so many more requests have been answered."""
        target = self.answered + count
        while self.answered < target and not self.lost:
            time.sleep(0.01)

    def _send(self) -> None:
        with Client(self._url, framework="pytorch") as client:
            while not self._ending.is_set():
                try:
                    client.reconstruct(IMAGES, seed=7)
                except ClientError as error:
                    self.lost.append(str(error))
                else:
                    self.answered += 1


def test_file_has_no_unknown_key(cluster):
    """Ray accepts keys that it doesn't know: what it read is what the file says."""
    config = cluster.command("round_trip", str(FILE))

    assert config == yaml.safe_load(FILE.read_text())


def test_responses_are_those_of_the_service(cluster, tmp_path):
    """The same arrays and provenance for the same seed, from every replica, on both nodes."""
    body = {"images": IMAGES.tolist()}
    with serving("--frameworks", "pytorch", log=tmp_path / "log") as client:
        wait_until_settled(client)
        expected = client.post(RECONSTRUCT, json=body).json()

    with httpx.Client(base_url=cluster.url, timeout=60) as client:
        responses = [client.post(RECONSTRUCT, json=body).json() for _ in range(10)]

    assert len({replica["node"] for replica in cluster.command("replicas")}) == 2
    for response in responses:
        np.testing.assert_allclose(response.pop("probs"), expected["probs"], atol=1e-6)
        assert {name: response[name] for name in ("checkpoint", "device", "seed")} == {
            name: expected[name] for name in ("checkpoint", "device", "seed")
        }


@pytest.mark.parametrize("given", [{}, {"X-Request-ID": "mine"}], ids=["fresh", "given"])
def test_request_id_is_sent_once(cluster, given):
    """Ray adds the header, and the problem document has the same ID."""
    response = httpx.get(f"{cluster.url}/sample?n=0", headers=given, timeout=60)

    (request_id,) = response.headers.get_list("X-Request-ID")
    assert response.status_code == 422
    assert response.json()["request_id"] == request_id == given.get("X-Request-ID", request_id)
    assert response.headers.get_list("X-Content-Type-Options") == ["nosniff"]


def test_full_queue_is_answered_by_the_service(cluster):
    """More requests than the queues hold: 429 as a problem document with `Retry-After`, none of Ray's own texts."""
    with httpx.Client(base_url=cluster.url, timeout=60) as client, ThreadPoolExecutor(64) as pool:
        responses = list(pool.map(lambda _: client.get("/sample?n=1024&format=npy"), range(128)))

    refused = [response for response in responses if response.status_code != 200]
    assert len(refused) < len(responses)
    assert refused
    for response in refused:
        assert (response.status_code, response.headers["Content-Type"]) == (429, "application/problem+json")
        assert "Retry-After" in response.headers


def test_killed_replica_loses_no_request(cluster):
    """The client repeats what was in progress there; Ray starts another replica."""
    with Load(cluster.url) as load:
        before = {replica["pid"] for replica in cluster.command("replicas")}
        cluster.command("kill", min(before))
        load.wait_for(200)
        cluster.wait_for(lambda _: len({replica["pid"] for replica in cluster.command("replicas")} - before) == 1)
        load.wait_for(200)

    assert load.lost == []
    cluster.wait_for_replicas(2)


def test_removed_node_loses_no_request(cluster):
    """A node vanishes with its replica, which starts again on the other node; the node is back afterwards."""
    with Load(cluster.url) as load:
        cluster.command("remove_node")
        load.wait_for(200)
        cluster.wait_for(lambda _: [replica["node"] for replica in cluster.command("replicas")] == [cluster.head] * 2)
        load.wait_for(200)
    cluster.command("add_node")

    assert load.lost == []
    cluster.wait_for_replicas(2)


def test_rolling_redeploy_loses_no_request(cluster):
    """Every replica is replaced by one with another setting."""
    before = {replica["pid"] for replica in cluster.command("replicas")}
    with Load(cluster.url) as load:
        cluster.deploy(args={"request_timeout_s": 20})
        load.wait_for(100)

    assert load.lost == []
    assert before.isdisjoint(replica["pid"] for replica in cluster.command("replicas"))


def test_replicas_follow_the_load(cluster):
    """Two replicas under load, one without, and no request is lost on the way."""
    scaling = {"min_replicas": 1, "max_replicas": 2, "target_ongoing_requests": 2, "look_back_period_s": 2}
    scaling |= {"metrics_interval_s": 0.5, "upscale_delay_s": 1, "downscale_delay_s": 2}
    cluster.deploy(args={"request_timeout_s": 20}, autoscaling_config=scaling)
    cluster.wait_for_replicas(1)

    with Load(cluster.url, clients=16) as load:
        cluster.wait_for_replicas(2)
        load.wait_for(100)
    cluster.wait_for_replicas(1)

    assert load.lost == []


def test_rate_limit_without_keys_is_refused(cluster):
    """Behind the proxy all clients have one address: the deployment fails with the reason, the old one goes on."""
    cluster.send(args={"rate_limit": "5/second"})

    state = cluster.wait_for(lambda state: state["status"] == "DEPLOY_FAILED")

    assert "set TRIPTYCH_API_KEYS too" in state["message"]
    assert httpx.get(f"{cluster.url}/healthz", timeout=60).status_code == 200
