"""`benchmarks.serving` and `benchmarks.soak`: their requests and parsing. Asserts no measured result."""

import os
import shutil
import socket
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest

from app.settings import CHECKPOINTS
from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.processes import choose_cores
from benchmarks.serving.wrk import Request, parse_output, run_wrk, write_script
from benchmarks.soak.requests import exchanges, find_difference, read_answer
from tests.support.app import make_service, npy, running, save_checkpoints
from tests.support.live_service import CHECKOUT

CORE = min(os.sched_getaffinity(0))

OUTPUT = """Running 2s test @ http://127.0.0.1:8000/reconstruct
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    41.72ms   30.11ms 200.10ms   78.30%
  3000 requests in 2.00s, 9.80MB read
SUMMARY {"requests": 3000, "duration_us": 2000000, "bad_statuses": 2, "socket_errors": 1, "p50_us": 41500, "p99_us": 9}
"""


@pytest.fixture(scope="module")
def service():
    """A client of a service that answers as the committed checkpoints do, without a framework."""
    with running(make_service(CHECKPOINTS)) as client:
        yield client


def url_of(client, path=""):
    """Return an address of the client's service."""
    return str(client.base_url).rstrip("/") + path


def test_wrk_output_is_read():
    """Rate, latencies and failures come from the script's own line, not from the text for people."""
    run = parse_output(OUTPUT)

    assert (run.requests, run.requests_per_s, run.p50_ms, run.p99_ms) == (3000, 1500, 41.5, 0.009)
    assert (run.bad_statuses, run.socket_errors) == (2, 1)


def test_wrk_script_posts_the_body_with_its_headers(tmp_path):
    """A request with a body is posted from its file; one without is left to be a GET."""
    posting = write_script(Request("http://x/", {"Accept": "application/x-npy"}, b"body"), tmp_path / "body")
    getting = write_script(Request("http://x/"), tmp_path / "body")

    assert 'wrk.headers["Accept"] = "application/x-npy"' in posting
    assert f'wrk.body = read("{tmp_path}/body")' in posting
    assert "wrk.method" not in getting


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk isn't installed")
def test_wrk_asks_a_service(service):
    """The script is one that wrk runs: the service takes what it sends."""
    run = run_wrk(Case("npy", "jax").request(url_of(service)), core=CORE, connections=2, seconds=1)

    assert run.requests > 0
    assert run.bad_statuses == run.socket_errors == 0


@pytest.mark.parametrize("kind", ["npy", "JSON"])
@pytest.mark.parametrize("count", [1, 3])
def test_right_answer_passes_the_check(service, kind, count):
    """An answer of the committed checkpoint's own model, with the noise of its seed, is right."""
    Case(kind, "jax", count).check(url_of(service))


def test_wrong_answer_fails_the_check(tmp_path):
    """The answer of another model is refused before anything is measured."""
    with running(make_service(save_checkpoints(tmp_path))) as client, pytest.raises(SystemExit, match="is wrong"):
        Case("npy", "jax").check(url_of(client))


def test_refused_request_fails_the_check(service):
    """A missing response is reported with its status."""
    with pytest.raises(SystemExit, match="422 instead of an answer"):
        Case("npy", "nothing").check(url_of(service))


def test_streams_are_asked_side_by_side(service):
    """Each request of each stream is counted under its status, with a latency."""
    streams = [Stream(Request(url_of(service, path)), rate=200) for path in ("/healthz", "/absent")]

    present, absent = ask(streams, core=CORE, seconds=0.2)

    assert present.statuses() == {"200": present.count(200)}
    assert absent.statuses() == {"404": absent.count(404)}
    assert min(present.count(200), absent.count(404)) > 0
    assert present.percentile_ms(99) >= present.percentile_ms(50) > 0


def test_stream_without_a_rate_asks_again_as_soon_as_it_is_answered(service):
    """An infinite rate on one connection is one request after another."""
    body = npy(np.zeros((1, 784), np.float32))
    request = Request(url_of(service, "/reconstruct"), {"Content-Type": "application/x-npy"}, body)

    (outcome,) = ask([Stream(request, rate=float("inf"), connections=1)], core=CORE, seconds=2)

    assert outcome.count(200) > 1
    assert outcome.not_sent == outcome.lost == 0
    assert outcome.goodput_per_s > 0


def test_client_that_waits_leaves_its_core_to_the_server(service):
    """Between requests that are far apart, the client sleeps."""
    before = time.thread_time()

    (outcome,) = ask([Stream(Request(url_of(service, "/healthz")), rate=10)], core=CORE, seconds=1)

    assert outcome.count(200) >= 10
    assert time.thread_time() - before < 0.5


def test_silent_server_loses_what_was_sent():
    """Requests that nobody answers are lost; those that find no free connection are not sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = Request(f"http://127.0.0.1:{silent.getsockname()[1]}/")

        (outcome,) = ask([Stream(request, rate=100, connections=2)], core=CORE, seconds=0.2, last_responses_s=0.05)

    assert outcome.lost == 2
    assert outcome.not_sent > 0
    assert outcome.goodput_per_s == 0
    assert np.isnan(outcome.percentile_ms(99))


def test_one_core_is_refused(monkeypatch):
    """A single core is refused, because server and client would share it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})

    with pytest.raises(SystemExit, match="two cores are needed"):
        choose_cores()


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ({"elbo": [-100.0]}, {"elbo": [-100.0005]}, None),
        ({"elbo": [-100.0]}, {"elbo": [-100.01]}, "answer.elbo differs by 0.01"),
        ({"model_ms": {"jax": 1}, "seed": 7}, {"model_ms": {"jax": 2}, "seed": 7}, None),
        ({"seed": 7}, {"seed": 8}, "answer.seed differs by 1"),
        ({"outputs": [{"data": [1.0]}]}, {"outputs": [{"data": [1.000001]}]}, None),
        ({"outputs": [{"data": [1.0]}]}, {"outputs": [{"data": [2.0]}]}, "answer.outputs[0].data differs by 1"),
        ({"a": [1, 2]}, {"a": [1]}, "answer.a has shape (1,) instead of (2,)"),
        ({"a": "x"}, {"a": None}, "answer.a is 'None' instead of 'x'"),
        (np.zeros(2), np.array([0, np.nan]), "answer differs by nan"),
    ],
)
def test_answers_are_compared(expected, found, difference):
    """Numbers may differ by the tolerance, durations at will, and nothing else at all."""
    assert find_difference(expected, found) == difference


def test_soak_asks_what_the_service_answers_alike_each_time(service):
    """Each of the soak's requests is understood, and two answers to it are alike."""
    with httpx.Client(base_url=service.base_url) as client:
        for kind in exchanges():
            first, second = (client.send(kind.build(client)) for _ in range(2))

            assert first.status_code == 200, first.text
            assert not kind.is_compared or find_difference(read_answer(first), read_answer(second)) is None


@pytest.mark.parametrize("command", [["event_loop_costs", "--rounds", "1"], ["path_length"]])
def test_command_measures_both_kinds_of_body(command):
    """Commands that reach into the service for what they measure still find it there."""
    name, *options = command
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.serving.{name}", *options],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "npy" in done.stdout
    assert "JSON" in done.stdout
