"""`/metrics`: every response is counted once, under labels that no client can add to."""

import math
import platform

import pytest
from prometheus_client import Histogram

from app.inference.adapters.numpy_adapter import load_numpy
from app.observability.metrics import Metrics
from app.observability.timings import Timings
from tests.support.app import assert_problem, make_images, make_service, post_npy, running, wait_until
from tests.support.clients.metrics_text import read_samples
from training.errors import FrameworkNotInstalledError

NAME = "triptych_framework_ready"


@pytest.fixture
def fresh_client(checkpoints):
    """A client of a service that nobody has asked anything."""
    with running(make_service(checkpoints)) as client:
        yield client


def count_answers(client, *, route, status):
    """Return how many answers of a route the service has counted."""
    samples = read_samples(client.get("/metrics").text)
    wanted_labels = {("route", route), ("status", str(status))}
    return sum(
        value
        for (name, *labels), value in samples.items()
        if name == "triptych_requests_total" and wanted_labels <= set(labels)
    )


def test_comparison_is_no_framework_s(fresh_client):
    """A request of all frameworks isn't counted as one's."""
    post_npy(fresh_client, "/compare", make_images())

    samples = read_samples(fresh_client.get("/metrics").text)

    assert samples["triptych_requests_total", ("framework", "none"), ("route", "/compare"), ("status", "200")] == 1


def test_answers_are_counted_by_route_and_status(fresh_client):
    """Answers, good and bad, are each counted once, and timed."""
    for _ in range(3):
        post_npy(fresh_client, "/encode", make_images())
    post_npy(fresh_client, "/encode?sed=1", make_images())

    assert count_answers(fresh_client, route="/encode", status=200) == 3
    assert count_answers(fresh_client, route="/encode", status=422) == 1
    assert "triptych_request_seconds_count{framework=" in fresh_client.get("/metrics").text


def test_unknown_paths_share_one_label(fresh_client):
    """A path without a route is counted as `other`, whatever it is."""
    for path in ("/nothing", "/wp-login.php", "/sample/7"):
        fresh_client.get(path)

    assert count_answers(fresh_client, route="other", status=404) == 3
    assert "wp-login" not in fresh_client.get("/metrics").text


def test_metrics_of_one_application_are_its_own(checkpoints, fresh_client):
    """Another application in the same process counts for itself."""
    fresh_client.get("/healthz")

    with running(make_service(checkpoints)) as other:
        assert count_answers(other, route="/frameworks", status=200) == 0


def test_metrics_need_a_key_where_keys_are_set(checkpoints):
    """Metrics require a key where keys are set."""
    with running(make_service(checkpoints, frameworks="jax", api_keys="k3y")) as client:
        refused = client.get("/metrics")
        allowed = client.get("/metrics", headers={"X-API-Key": "k3y"})

    assert_problem(refused, 401)
    assert allowed.status_code == 200
    assert allowed.headers["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("fast_path", [True, False])
def test_framework_of_a_response_is_a_label(checkpoints, fast_path):
    """A response counts for the framework that computed it, the default's name where none is requested."""
    with running(make_service(checkpoints, fast_path=fast_path)) as client:
        post_npy(client, "/encode?framework=torch", make_images())
        post_npy(client, "/encode", make_images())
        samples = read_samples(client.get("/metrics").text)

    for framework in ("pytorch", "jax"):
        labels = ("framework", framework), ("route", "/encode"), ("status", "200")
        assert samples["triptych_requests_total", *labels] == 1


def test_metrics_of_a_framework_are_told():
    """All that a framework's queue and model report stands in the text, under the framework's name."""
    metrics = Metrics(version="1.2", frameworks=["jax", "pytorch"])
    jax = metrics.for_framework("jax")

    jax.observe_stages(Timings(queue_s=0.001, model_s=0.002, total_s=0.006))
    jax.observe_batch(7, 0.004)
    jax.set_queue(5)
    jax.set_compilations(2)
    jax.count_rejected()
    jax.count_timeout()
    jax.count_cancelled()

    samples = read_samples(metrics.render().decode())
    label = ("framework", "jax")
    stages = {
        stage: samples["triptych_stage_seconds_sum", label, ("stage", stage)] for stage in ("queue", "model", "codec")
    }
    assert stages == {"queue": 0.001, "model": 0.002, "codec": 0.003}
    assert samples["triptych_batch_rows_sum", label] == 7
    assert samples["triptych_batch_seconds_sum", label] == 0.004
    assert samples["triptych_queue_images", label] == 5
    assert samples["triptych_compilations_after_warmup", label] == 2
    for name in ("shed", "timed_out", "cancelled"):
        assert samples[f"triptych_{name}_total", label] == 1
        assert samples[f"triptych_{name}_total", ("framework", "pytorch")] == 0


def test_build_is_told():
    """The labels of the build tell the versions and the frameworks."""
    samples = read_samples(Metrics(version="1.2", frameworks=["jax", "pytorch"]).render().decode())

    labels = ("frameworks", "jax,pytorch"), ("python", platform.python_version()), ("version", "1.2")
    assert samples["triptych_build_info", *labels] == 1


def test_histograms_count_as_the_clients_own_do():
    """Each value falls into the bucket that Prometheus's own client puts it into, bounds included."""
    metrics = Metrics(version="1", frameworks=["jax"])
    values = [0, 0.0009, 0.001, 0.0011, 0.3, 29, 30, 31, math.inf]
    for value in values:
        metrics.for_framework("jax").observe_batch(1, value)
    counts = {
        dict(labels)["le"]: count
        for (name, *labels), count in read_samples(metrics.render().decode()).items()
        if name == "triptych_batch_seconds_bucket"
    }

    histogram = Histogram("own", "", registry=None, buckets=[float(bound) for bound in counts])
    for value in values:
        histogram.observe(value)
    (family,) = histogram.collect()
    expected = {s.labels["le"]: s.value for s in family.samples if s.name == "own_bucket"}
    assert counts == expected


def test_readiness_of_each_framework_is_a_metric(checkpoints):
    """1 for a framework that serves, 0 for one that failed; one that isn't installed has no value."""

    def load(framework, **options):
        if framework == "pytorch":
            raise RuntimeError("broken")
        return load_numpy(framework, **options)

    def require_installed(framework):
        if framework == "tensorflow":
            raise FrameworkNotInstalledError("not here")

    def readiness(client):
        samples = read_samples(client.get("/metrics").text)
        return {dict(labels)["framework"]: value for (name, *labels), value in samples.items() if name == NAME}

    with running(make_service(checkpoints, load=load, require_installed=require_installed)) as client:
        wait_until(lambda: len(readiness(client)) == 2)

        assert readiness(client) == {"jax": 1, "pytorch": 0}
