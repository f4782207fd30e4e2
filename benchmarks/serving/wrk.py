"""Runs `wrk` on one core and parses its output."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.serving.processes import pinned

MARK: Final = "SUMMARY "

SCRIPT: Final = """
local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function done(summary, latency, requests)
  local errors = summary.errors
  local sockets = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('MARK{"requests": %d, "duration_us": %d, "bad_statuses": %d, "socket_errors": %d, ' ..
    '"p50_us": %d, "p99_us": %d}\\n', summary.requests, summary.duration, errors.status, sockets,
    latency:percentile(50), latency:percentile(99)))
end
""".replace("MARK", MARK)

TRACED: Final = """
local count = 0

function request()
  count = count + 1
  wrk.headers["traceparent"] = string.format("00-%032x-%016x-01", count, count)
  return wrk.format()
end
"""
"""W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header"""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Body to POST; empty to GET."""

    is_traced: bool = False
    """True if each request has a `traceparent` header, with other values each time, as tracing proxies send it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Results of wrk."""

    requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    bad_statuses: int
    """Responses other than 2xx and 3xx."""

    socket_errors: int


def require_wrk() -> str:
    """Return the path of wrk.

    Raises:
        SystemExit: It isn't installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise SystemExit("wrk, which asks the server, isn't installed: `apt install wrk`, or `brew install wrk`")
    return path


def run_wrk(request: Request, *, core: int, connections: int, seconds: int) -> Run:
    """Send requests without a pause from one thread on the core, for a number of connections and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        script, body = Path(folder, "request.lua"), Path(folder, "body")
        body.write_bytes(request.body)
        script.write_text(write_script(request, body), encoding="utf-8")
        command = [require_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        with pinned(core):
            done = subprocess.run(  # noqa: S603 -- wrk, with arguments of its own
                [*command, "-s", str(script), request.url], stdout=subprocess.PIPE, text=True, check=True
            )
    return parse_output(done.stdout)


def write_script(request: Request, body: Path) -> str:
    """Return the Lua script with which wrk sends the request and prints a last line for `parse_output`."""
    lines = [SCRIPT]
    # JSON strings of visible ASCII are valid Lua strings.
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()]
    if request.body:
        lines += ['wrk.method = "POST"', f"wrk.body = read({json.dumps(str(body))})"]
    if request.is_traced:
        lines.append(TRACED)
    return "\n".join([*lines, ""])


def parse_output(text: str) -> Run:
    """Return the results from the script's last line."""
    line = next(line for line in text.splitlines() if line.startswith(MARK))
    summary = json.loads(line.removeprefix(MARK))
    return Run(
        requests=summary["requests"],
        requests_per_s=summary["requests"] / summary["duration_us"] * 1e6,
        p50_ms=summary["p50_us"] / 1e3,
        p99_ms=summary["p99_us"] / 1e3,
        bad_statuses=summary["bad_statuses"],
        socket_errors=summary["socket_errors"],
    )
