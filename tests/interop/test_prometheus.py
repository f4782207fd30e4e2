"""The metrics, alert rules and dashboard, with a real Prometheus that scrapes a real service under load."""

import json
import math
import shutil
import subprocess
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.client import Client
from tests.support.live_service import CHECKOUT, kept_port, serving, wait_until_settled

DEPLOY = CHECKOUT / "deploy"

DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "triptych.json").read_text())

EXPRESSIONS = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]

SECONDS_OF_LOAD = 12

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="Prometheus isn't installed (Debian: prometheus)"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A client of a real service with PyTorch."""
    with serving("--frameworks", "pytorch", log=tmp_path_factory.mktemp("service") / "log") as http:
        wait_until_settled(http)
        yield http


@pytest.fixture(scope="module")
def prometheus(service, tmp_path_factory):
    """A client of a Prometheus that has scraped the service under load, with our configuration and rules."""
    folder = tmp_path_factory.mktemp("prometheus")
    configuration = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    assert "triptych:8000" in configuration
    (folder / "prometheus.yml").write_text(
        configuration.replace("triptych:8000", service.base_url.netloc.decode()).replace("15s", "1s")
    )
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", folder)
    with kept_port() as port, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                _wait_until_ready(client, process, folder / "log")
                _load(str(service.base_url))
                yield client
        finally:
            process.terminate()
            process.wait(timeout=30)


def query(prometheus: httpx.Client, expression: str) -> list[dict]:
    """Return the result of an instant query, with the dashboard's variables filled in."""
    expression = expression.replace("$__rate_interval", "10s").replace("$instance", ".*")
    response = prometheus.get("/api/v1/query", params={"query": expression}).json()
    assert response["status"] == "success", response
    return response["data"]["result"]


def test_metrics_follow_the_conventions(service):
    """`promtool check metrics` finds nothing to complain of in a scrape."""
    scrape = service.get("/metrics").text

    result = subprocess.run(["promtool", "check", "metrics"], input=scrape, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_alert_rules_pass_their_unit_tests():
    """`promtool test rules` runs `alerts_test.yml`, which names every alert."""
    folder = DEPLOY / "prometheus"

    result = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=folder, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    alerts = [line.split()[-1] for line in (folder / "alerts.yml").read_text().splitlines() if "- alert:" in line]
    tested = (folder / "alerts_test.yml").read_text()
    assert [alert for alert in alerts if f"alertname: {alert}\n        exp_alerts:\n          - " not in tested] == []


def test_prometheus_scrapes_the_service_and_loads_the_rules(prometheus):
    """The target is up, and every rule is healthy."""
    (up,) = query(prometheus, 'up{job="triptych"}')
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]

    assert up["value"][1] == "1"
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_of_the_dashboard_returns_data(prometheus, expression):
    """Each panel has finite values while there is load; a quantile of a route without traffic is NaN."""
    values = [float(series["value"][1]) for series in query(prometheus, expression)]

    assert any(math.isfinite(value) for value in values)
    assert not any(math.isinf(value) for value in values)


def test_labels_of_the_dashboard_exist(prometheus):
    """Each label in a legend is one of the query's result."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels = {word.strip("{}") for word in target["legendFormat"].split() if word.startswith("{{")}
            labels = {label.rstrip(",").strip("{}") for label in labels}
            for series in query(prometheus, target["expr"]):
                assert labels <= set(series["metric"]), panel["title"]


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen, log: Path) -> None:
    while True:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/-/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)


def _load(url: str) -> None:
    images = np.random.default_rng(0).random((4, 28, 28), dtype=np.float32)
    deadline = time.monotonic() + SECONDS_OF_LOAD

    def send() -> None:
        with Client(url) as client:
            while time.monotonic() < deadline:
                client.reconstruct(images)
                client.encode(images)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
