"""`benchmarks.serving` and `benchmarks.soak`: what they read, ask and print. No figure of theirs is asserted."""

import os
import shutil
import socket
from importlib import util

import httpx
import numpy as np
import pytest

from app.settings import CHECKPOINTS
from benchmarks.serving import memory, overload, throughput
from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.parts import PARTS, render
from benchmarks.serving.processes import choose_cores
from benchmarks.serving.tables import counts, spread, table, verdict
from benchmarks.serving.wrk import Request, parse_output, run_wrk, write_script
from benchmarks.soak_requests import exchanges, find_difference, read_answer
from tests.service import CHECKOUT, make_service, npy, running, save_checkpoints

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
    """An answer that is none is told with its status."""
    with pytest.raises(SystemExit, match="422 instead of an answer"):
        Case("npy", "nothing").check(url_of(service))


def test_streams_are_asked_side_by_side(service):
    """Each request of each stream is counted under its status, with a latency."""
    streams = [Stream(Request(url_of(service, path)), rate=200) for path in ("/healthz", "/absent")]

    found, absent = ask(streams, core=CORE, seconds=0.2)

    assert found.statuses() == {"200": found.count(200)}
    assert absent.statuses() == {"404": absent.count(404)}
    assert min(found.count(200), absent.count(404)) > 0
    assert found.percentile_ms(99) >= found.percentile_ms(50) > 0


def test_stream_without_a_rate_asks_again_as_soon_as_it_is_answered(service):
    """An infinite rate on one connection is one request after another."""
    body = npy(np.zeros((1, 784), np.float32))
    request = Request(url_of(service, "/reconstruct"), {"Content-Type": "application/x-npy"}, body)

    (outcome,) = ask([Stream(request, rate=float("inf"), connections=1)], core=CORE, seconds=0.2)

    assert outcome.count(200) > 1
    assert outcome.not_sent == outcome.lost == 0
    assert outcome.goodput_per_s > 0


def test_silent_server_loses_what_was_sent():
    """Requests that nobody answers are lost; those that find no free connection are not sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = Request(f"http://127.0.0.1:{silent.getsockname()[1]}/")

        (outcome,) = ask([Stream(request, rate=100, connections=2)], core=CORE, seconds=0.2, patience_s=0.05)

    assert outcome.lost == 2
    assert outcome.not_sent > 0
    assert outcome.goodput_per_s == 0
    assert np.isnan(outcome.percentile_ms(99))


def test_one_core_is_refused(monkeypatch):
    """Where only one core may be used, server and client would share it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})

    with pytest.raises(SystemExit, match="two cores are needed"):
        choose_cores()


def test_cells_say_median_spread_and_goal():
    """A table's lines are Markdown's, and its cells say what a reader needs."""
    assert table(["a", "b"], [["1", "2"]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
    assert spread([3, 1, 1234.5]) == "3.00 (1.00 to 1,234.50)"
    assert verdict(0.9, at_least=0.9) == ["at least 0.9", "yes"]
    assert verdict(5, below=5, unit=" ms") == ["below 5 ms", "**no**"]
    assert verdict(5) == ["-", "-"]
    assert counts({"200": 1234, "429": 5}) == "200: 1,234, 429: 5"


def one_figure(kind, by, rates, bad_statuses=0):
    """Return the figure of a case at 64 connections, beside an empty endpoint of 1,000 requests a second."""
    others = {"p50_ms": 1.0, "p99_ms": 2.0, "cpu_us": 100.0, "empty_cpu_us": 50.0}
    others |= {"bad_statuses": bad_statuses, "socket_errors": 0}
    runs = [{"requests_per_s": rate, "empty_requests_per_s": 1000.0, **others} for rate in rates]
    return {"kind": kind, "by": by, "connections": 64, "runs": runs}


def test_throughput_is_held_against_its_goals():
    """PyTorch's share of the empty endpoint has a goal, and the others' share of PyTorch."""
    figures = [one_figure("npy", "pytorch", [900, 1100, 1300]), one_figure("npy", "jax", [450, 880, 1170])]

    _, _, pytorch, jax = throughput.report(figures)

    assert "| 1.10 (0.90 to 1.30) | at least 1 | yes | - | - | - | - |" in pytorch
    assert "| 0.88 (0.45 to 1.17) | - | - | - | 0.80 (0.50 to 0.90) | at least 0.9 | **no** |" in jax


def test_the_least_is_bare_asgi_and_then_the_bare_framework():
    """What ASGI takes beside the empty endpoint and what a call takes add up; whatever has no call has no least."""
    pytorch, asgi = one_figure("npy", "pytorch", [500]), one_figure("empty", "ASGI", [4000])
    pytorch["runs"][0]["bare_s"] = 0.001  # as long as the empty endpoint takes

    assert throughput.shares_of_the_least(pytorch, asgi) == [pytest.approx(0.8)]
    assert throughput.shares_of_the_least(asgi, asgi) == []
    assert "| **no** | 0.80 (0.80 to 0.80) |" in throughput.report([pytorch, asgi])[2]


def test_failures_are_told_beside_the_figures():
    """A case of which some answers were refused says so."""
    figure = one_figure("JSON", "jax", [100], bad_statuses=7)

    assert throughput.report([figure])[-1].endswith("| **bad statuses: 7** |")


def test_memory_that_grows_has_a_slope():
    """The slope is of the second half alone, in MiB for 100,000 requests."""
    warming = [{"requests": n, "rss": n * 2**20} for n in range(3)]
    growing = [{"requests": n * 100_000, "rss": 2**30 + n * 3 * 2**20} for n in range(1, 5)]

    assert memory.slope([*warming, *growing]) == pytest.approx(3)


def test_overload_counts_what_was_refused():
    """Goodput is held against the highest throughput, and answers are told by their status."""
    run = {"highest_per_s": 100, "goodput_per_s": 95, "p50_ms": 1, "p99_ms": 20, "refused_p99_ms": 2}
    run |= {"client_late_ms": 0.1, "statuses": {"200": 95, "429": 105}}

    line = overload.report([{"case": "npy jax 1 image", "bound_ms": 50, "runs": [run, run]}])[-1]

    assert "| 0.95 (0.95 to 0.95) | at least 0.9 | yes |" in line
    assert "| below 50 ms | yes | 200: 190, 429: 210 |" in line


@pytest.mark.parametrize("old", ["", "old\n"])
def test_page_is_filled_in_at_its_marks(old):
    """The script replaces what stands between a part's marks and no more, and says where its figures come from."""
    path = CHECKOUT / "docs" / "scripts" / "performance_tables.py"
    script = util.module_from_spec(spec := util.spec_from_file_location("performance_tables", path))
    spec.loader.exec_module(script)
    record = {
        "conditions": {"machine": "2 cores of X", "versions": {"numpy": "2"}, "commit": "abc", "load_before": 0.25},
        "options": {"cores": {"server": 0, "client": 1}, "rounds": 3, "seconds": 2, "server_args": ["--workers"]},
        "figures": [{"case": "/healthz", "seconds": [1.0]}],
    }

    page = script.fill(f"a\n<!-- start -->\n{old}<!-- end -->\nz\n<!-- end -->\n", {"start": record})

    assert page == "\n".join(["a", "<!-- start -->", *render("start", record), "<!-- end -->", "z", "<!-- end -->", ""])
    assert "| /healthz | 1.00 (1.00 to 1.00) | below 2 s | yes |" in page
    assert "commit abc, `--workers`; median of 3 rounds of 2 s" in page
    with pytest.raises(SystemExit, match="no place for start"):
        script.fill("a\n", {"start": record})


def test_page_has_a_place_for_each_part():
    """Whatever is measured is published."""
    page = (CHECKOUT / "docs" / "performance.md").read_text()

    assert [line[5:-4] for line in page.splitlines() if line.startswith("<!-- ") and line != "<!-- end -->"] == [*PARTS]


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ({"elbo": [-100.0]}, {"elbo": [-100.0005]}, None),
        ({"elbo": [-100.0]}, {"elbo": [-100.01]}, "answer.elbo differs by 0.01"),
        ({"model_ms": {"jax": 1}, "seed": 7}, {"model_ms": {"jax": 2}, "seed": 7}, None),
        ({"seed": 7}, {"seed": 8}, "answer.seed differs by 1"),
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
