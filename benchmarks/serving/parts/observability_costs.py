"""Cost of the access log and of tracing: CPU time of a request beside the same service without them, in the same round.

Requests bring a `traceparent`, another one each time. Exported spans go to a receiver that throws them away, on the
client's core.
"""

import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.parts.header_costs import run_counted
from benchmarks.serving.processes import pinned, service
from training.reporting.markdown_tables import spread, table

CONNECTIONS: Final = 64

OFF: Final = "off"

ACCESS_LOG: Final = ("--access-log", "true", "--log-level", "info")

SAMPLERS: Final = {
    "tracing, no request sampled": "always_off",
    "tracing, all sampled": "always_on",
}

RECEIVER: Final = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the figures of each case and kind of observation, in interleaved rounds."""
    cases = [case for case in SINGLE_IMAGES if case.framework == "pytorch" and options.wants(str(case))]
    core = options.cores.server
    with ExitStack() as stack:
        endpoint = stack.enter_context(_receiver(options.cores.client))
        servers = {
            name: stack.enter_context(
                service(core, frameworks=["pytorch"], arguments=[*arguments, *options.server_args], variables=variables)
            )
            for name, arguments, variables in _variants(endpoint)
        }
        figures: list[Figure] = [
            {"kind": case.kind, "observed": name, "runs": []} for case in cases for name in servers
        ]
        by_kind = {case.kind: case for case in cases}
        for case in cases:
            case.check(servers[OFF].url)
        for _ in range(options.rounds):
            for figure in figures:
                server = servers[figure["observed"]]
                request = replace(by_kind[figure["kind"]].request(server.url), is_traced=True)
                figure["runs"].append(run_counted(server, request, options, connections=CONNECTIONS))
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "observed", "CPU time, us", "more than off, us", "requests/s", "failures"]
    return table(head, [_row(figure, figures) for figure in figures])


def _row(figure: Figure, figures: Sequence[Figure]) -> list[str]:
    off = next(other for other in figures if other["kind"] == figure["kind"] and other["observed"] == OFF)
    pairs = zip(figure["runs"], off["runs"], strict=True)
    more = [run["cpu_us"] - base["cpu_us"] for run, base in pairs]
    failures = sum(run["bad_statuses"] + run["socket_errors"] for run in figure["runs"])
    return [
        figure["kind"],
        figure["observed"],
        spread([run["cpu_us"] for run in figure["runs"]], 0),
        "" if figure is off else spread(more, 0),
        f"{statistics.median(run['requests_per_s'] for run in figure['runs']):,.0f}",
        str(failures) if not failures else f"**{failures}**",
    ]


def _variants(endpoint: str) -> Iterator[tuple[str, Sequence[str], Mapping[str, str]]]:
    yield OFF, (), {}
    yield "access log", ACCESS_LOG, {}
    for name, sampler in SAMPLERS.items():
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_SAMPLER": sampler}
        yield name, (), variables


@contextmanager
def _receiver(core: int) -> Iterator[str]:
    with pinned(core):
        process = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE)  # noqa: S603 -- Python itself
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(timeout=30)
