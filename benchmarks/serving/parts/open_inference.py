"""Throughput of one image by the Open Inference Protocol in binary, as a share of the plain npy route's in one run.

Optionally beside NVIDIA's Triton (pytriton, on the same core, with the same model in NumPy).
"""

import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from app.settings import CHECKPOINTS
from benchmarks.serving.cases import Case, digits
from benchmarks.serving.options import Options
from benchmarks.serving.processes import ROOT, pinned, service
from benchmarks.serving.tables import counts, verdict
from benchmarks.serving.wrk import Request, run_wrk
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import ModelFile
from training.reporting.markdown_tables import spread, table

CONNECTIONS: Final = 64

FRAMEWORK: Final = "pytorch"

TRITON: Final = "Triton, /v2, binary"

SHARE_OF_NPY: Final = 0.9
"""Goal: at least this share of the plain route's requests per second."""

TIMES_TRITON: Final = 3.0
"""Goal: at least this many times Triton's requests per second."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the metrics of each server and protocol, in interleaved rounds."""
    with ExitStack() as stack:
        server = stack.enter_context(
            service(options.cores.server, frameworks=[FRAMEWORK], arguments=options.server_args)
        )
        requests: dict[str, Request] = {
            "npy": Case("npy", FRAMEWORK).request(server.url),
            "/v2, binary": infer_request(f"{server.url}/v2/models/{FRAMEWORK}-reconstruct/infer"),
        }
        if options.pytriton:
            url = stack.enter_context(triton(options.cores.server, python=options.pytriton))
            requests[TRITON] = infer_request(f"{url}/v2/models/reconstruct/infer")
        figures: list[Figure] = [{"kind": kind, "runs": []} for kind in requests]
        for kind, request in requests.items():
            _check(kind, request)
            run_wrk(request, core=options.cores.client, connections=CONNECTIONS, seconds=1)  # warms up
        for _ in range(options.rounds):
            for figure in figures:
                before = server.cpu_seconds()
                run = run_wrk(
                    requests[figure["kind"]],
                    core=options.cores.client,
                    connections=CONNECTIONS,
                    seconds=options.seconds,
                )
                cpu_us = (server.cpu_seconds() - before) / max(run.requests, 1) * 1e6
                figure["runs"].append(asdict(run) | {"cpu_us": cpu_us})
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "requests/s", "share of npy", "goal", "met", "times Triton", "goal", "met", "CPU time, us"]
    rates = {figure["kind"]: [run["requests_per_s"] for run in figure["runs"]] for figure in figures}
    return table([*head, "p50, ms", "p99, ms", "failures"], [_row(figure, rates) for figure in figures])


def infer_request(url: str) -> Request:
    """Return an infer request with one image in binary, whose probs are requested in binary."""
    image = digits(1).reshape(1, 28, 28)
    tensor = {"name": "images", "shape": [1, 28, 28], "datatype": "FP32"}
    members = {
        "inputs": [tensor | {"parameters": {"binary_data_size": image.nbytes}}],
        "outputs": [{"name": "probs", "parameters": {"binary_data": True}}],
    }
    text = json.dumps(members).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
    return Request(url, headers, text + image.tobytes())


@contextmanager
def triton(core: int, *, python: str) -> Iterator[str]:
    """Start pytriton's server on the core, and yield its address when its model is ready."""
    weights = load_checkpoint(ModelFile(CHECKPOINTS, FRAMEWORK).path).weights
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        path = Path(folder, "weights.npz")
        np.savez(path, **weights)
        program = str(ROOT / "benchmarks" / "serving" / "parts" / "pytriton_server.py")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        arguments = [program, str(port), str(path)]
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        # pytriton's backend looks for Python in the path, and would load the system's libpython.
        search = f"{Path(python).parent}:{os.environ['PATH']}"
        find_library = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"
        library = subprocess.check_output([python, "-c", find_library], text=True).strip()  # noqa: S603 -- Python itself
        # One thread of linear algebra, on the one core.
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        variables = inherited | {"PATH": search, "LD_LIBRARY_PATH": library} | threads
        with pinned(core):
            process = subprocess.Popen(  # noqa: S603 -- Python itself
                [python, *arguments], env=variables, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            while not _is_ready(url):
                if process.poll() is not None:
                    log.seek(0)
                    raise SystemExit(f"pytriton's server ended by itself: {log.read().decode()[-2000:]}")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _check(kind: str, request: Request) -> None:
    """Send the request once.

    Raises:
        SystemExit: The response isn't 200.
    """
    response = httpx.post(request.url, headers=dict(request.headers), content=request.body, timeout=60)
    if response.status_code != 200:
        raise SystemExit(f"{kind}: {response.status_code}: {response.text[:200]}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v2/models/reconstruct/ready").status_code == 200
    except httpx.TransportError:
        return False


def _row(figure: Figure, rates: Mapping[str, Sequence[float]]) -> list[str]:
    kind, runs = figure["kind"], figure["runs"]
    cells = [kind, spread(rates[kind], 0)]
    is_protocol = kind == "/v2, binary"
    for other, goal in (("npy", SHARE_OF_NPY), (TRITON, TIMES_TRITON)):
        if is_protocol and other in rates:
            beside = [rate / other_rate for rate, other_rate in zip(rates[kind], rates[other], strict=True)]
            cells += [spread(beside), *verdict(statistics.median(beside), at_least=goal)]
        else:
            cells += ["-", "-", "-"]
    cells += [spread([run["cpu_us"] for run in runs], 0) if kind != TRITON else "-"]
    cells += [spread([run[name] for run in runs]) for name in ("p50_ms", "p99_ms")]
    failures = {name: sum(run[name] for run in runs) for name in ("bad_statuses", "socket_errors")}
    return [*cells, counts({name.replace("_", " "): number for name, number in failures.items() if number})]
