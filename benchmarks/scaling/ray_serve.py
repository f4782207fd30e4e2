"""Throughput behind Ray Serve's proxies, with two replicas, beside two workers of the service itself."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx

from benchmarks.scaling.forms import Figure, Form, compare
from benchmarks.scaling.forms import report as report_forms
from benchmarks.scaling.options import Options
from benchmarks.serving.cases import Case
from benchmarks.serving.processes import ROOT, service

FRAMEWORK: Final = "pytorch"

REPLICAS: Final = 2

PROGRAM: Final = """
import json, sys
import ray
from ray import serve
from app.server.ray_replica import build
from app.settings import Settings
port, replicas = int(sys.argv[1]), int(sys.argv[2])
ray.init(num_cpus=replicas, include_dashboard=False, configure_logging=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": port})
application = build(Settings(frameworks="pytorch"))
deployment = application._bound_deployment.options(num_replicas=replicas, ray_actor_options={"num_cpus": 1})
serve.run(deployment.bind(Settings(frameworks="pytorch")), route_prefix="/")
print("ready", flush=True)
sys.stdin.read()
serve.shutdown()
"""
"""Runs in an environment with Ray, until its input ends."""


def measure(options: Options) -> list[Figure]:
    """Return the runs of the service and of Ray with each of its proxies.

    Raises:
        SystemExit: No Python with Ray was named.
    """
    if options.ray is None:
        raise SystemExit("the part ray needs an environment with Ray and the service: name its Python with --ray")
    workers = ("--workers", str(REPLICAS))
    with ExitStack() as stack:
        server = stack.enter_context(service(*options.server_cores, frameworks=[FRAMEWORK], arguments=workers))
        forms = {f"--workers {REPLICAS}": Form(server.url, [server.pid])}
        figures: list[Figure] = []
        cases = [Case("npy", FRAMEWORK)]
        for name, haproxy in (("Ray, HAProxy", "1"), ("Ray, its own proxy", "0")):
            with ray_service(options.ray, haproxy=haproxy) as form:
                # The service itself is measured again beside each: two clusters don't fit on a machine at once.
                both = forms | {name: form}
                figures += compare(both, cases, connections=(64, 1), options=options)
        return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the tables, one for each proxy."""
    lines: list[str] = []
    for start in range(0, len(figures), 4):
        lines += report_forms(figures[start : start + 4], goals={})
    return lines


@contextmanager
def ray_service(python: str, *, haproxy: str) -> Iterator[Form]:
    """Run the service on a Ray cluster of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        **os.environ,
        "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": haproxy,
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 -- Python itself
            [python, "-c", PROGRAM, str(port), str(REPLICAS)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            while b"ready" not in (line := process.stdout.readline()):
                if not line:
                    log.seek(0)
                    raise SystemExit(f"Ray ended by itself: {log.read().decode()[-2000:]}")
            url = f"http://127.0.0.1:{port}"
            while not _is_ready(url):
                time.sleep(0.1)
            yield Form(url, [process.pid])
        finally:
            process.stdin.close()
            process.wait(timeout=120)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
