"""Readiness of a service of several workers, as one of them tells it."""

import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from app.inference.models.registry import Registry
from app.inference.models.worker_board import WorkerBoard, WorkerStatus
from app.main import create_app
from app.settings import Settings
from tests.support.app import assert_problem, running, save_checkpoints
from training.frameworks import FRAMEWORKS

ROUTES = ("/readyz", "/v2/health/ready")


@pytest.fixture
def service(tmp_path):
    """A client of the first of two workers, and the second worker's board."""
    settings = Settings(checkpoints=save_checkpoints(tmp_path))
    board = WorkerBoard(FRAMEWORKS, workers=2)
    registry = Registry(settings, load=load_numpy, require_installed=lambda _: None, board=board)
    with running(create_app(settings, registry)) as client:
        yield client, board.for_worker(1)


def set_all(board, status):
    """Set a worker's status of every framework."""
    for framework in FRAMEWORKS:
        board.set_status(framework, status)


@pytest.mark.parametrize(
    ("status", "reason"), [(WorkerStatus.LOADING, "is loading"), (WorkerStatus.FAILED, "has a model that failed")]
)
def test_a_service_is_not_ready_before_all_workers_are(service, status, reason):
    """Every readiness route is 503 while another worker isn't ready, and says which and why."""
    client, other = service
    set_all(other, status)

    responses = [client.get(path) for path in (*ROUTES, "/readyz?framework=jax", "/v2/models/jax-decode/ready")]

    assert {response.status_code for response in responses} == {503}
    assert_problem(responses[0], 503)
    assert all(f"worker 2 of 2 {reason}" in response.text for response in responses)


def test_a_service_is_ready_once_all_workers_are(service):
    """Once the other worker is ready, or has ended and no client can reach it, the service is ready."""
    client, other = service

    codes = []
    for status in (WorkerStatus.READY, WorkerStatus.ABSENT):
        set_all(other, status)
        codes.append([client.get(path).status_code for path in ROUTES])

    assert codes == [[200, 200], [200, 200]]


def test_a_replacement_counts_once_it_listens(service):
    """While a replacement of a crashed worker loads its models, clients can't reach it and the service stays ready."""
    client, other = service
    other.set_absent()
    set_all(other, WorkerStatus.LOADING)

    loading = client.get("/readyz").status_code
    set_all(other, WorkerStatus.FAILED)
    failed = client.get("/readyz").status_code

    assert (loading, failed) == (200, 503)


def test_one_framework_is_ready_by_itself(service):
    """`?framework=` is 200 once every worker has that framework, whatever the others do."""
    client, other = service
    other.set_status("jax", WorkerStatus.READY)

    statuses = {framework: client.get(f"/readyz?framework={framework}").status_code for framework in FRAMEWORKS}

    assert statuses == {framework: 200 if framework == "jax" else 503 for framework in FRAMEWORKS}
