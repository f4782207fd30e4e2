"""`benchmarks.serving`: its tables, and the page on which they are published. Measures nothing."""

from importlib import util

import pytest

from benchmarks.serving.measurements import PARTS, render
from benchmarks.serving.parts import earlier_commit, memory, overload, throughput
from benchmarks.serving.tables import counts, verdict
from tests.support.app import CHECKOUT
from training.reporting.markdown_tables import spread, table


def test_cells_say_median_spread_and_goal():
    """A table's lines are Markdown's, and its cells say what a reader needs."""
    assert table(["a", "b"], [["1", "2"]]) == ["", "| a | b |", "| --- | --: |", "| 1 | 2 |", ""]
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

    *_, pytorch, jax, _ = throughput.report(figures)

    assert "| 1.10 (0.90 to 1.30) | at least 1 | yes | - | - | - | - |" in pytorch
    assert "| 0.88 (0.45 to 1.17) | - | - | - | 0.80 (0.50 to 0.90) | at least 0.9 | **no** |" in jax


def test_the_least_is_bare_asgi_and_then_the_bare_framework():
    """The lower bound adds the times of bare ASGI and of a call; without a call there is no bound."""
    pytorch, asgi = one_figure("npy", "pytorch", [500]), one_figure("empty", "ASGI", [4000])
    pytorch["runs"][0]["bare_s"] = 0.001  # as long as the empty endpoint takes

    assert throughput.shares_of_the_least(pytorch, asgi) == [pytest.approx(0.8)]
    assert throughput.shares_of_the_least(asgi, asgi) == []
    assert "| **no** | 0.80 |" in throughput.report([pytorch, asgi])[3]


def test_failures_are_shown_beside_the_results():
    """A case with rejected requests shows their number."""
    figure = one_figure("JSON", "jax", [100], bad_statuses=7)

    assert throughput.report([figure])[-2].endswith("| **bad statuses: 7** |")


def test_memory_that_grows_has_a_slope():
    """The slope is of the second half alone, in MiB for 100,000 requests."""
    warming = [{"requests": n, "rss": n * 2**20} for n in range(3)]
    growing = [{"requests": n * 100_000, "rss": 2**30 + n * 3 * 2**20} for n in range(1, 5)]

    assert memory.slope([*warming, *growing]) == pytest.approx(3)


def test_overload_counts_what_was_refused():
    """Goodput is compared with the highest throughput, and responses are counted by status."""
    run = {"highest_per_s": 100, "goodput_per_s": 95, "p50_ms": 1, "p99_ms": 20, "refused_p99_ms": 2}
    run |= {"client_late_ms": 0.1, "statuses": {"200": 95, "429": 105}}

    line = overload.report([{"case": "npy jax 1 image", "bound_ms": 50, "runs": [run, run]}])[-2]

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
    assert "| /healthz | 1.00 | below 2 s | yes |" in page
    assert "2 cores of X, serving on cores 0 and 1, load average" in page
    assert "commit abc, `--workers`; median of 3 starts, with the least and the most" in page
    with pytest.raises(SystemExit, match="no place for start"):
        script.fill("a\n", {"start": record})


@pytest.mark.parametrize(
    ("part", "duration"),
    [
        ("large", "core 0 serving and core 1 asking, load average before 0.0; commit abc; median of 3 rounds of 2 s"),
        ("overload", "median of 3 rounds, each of 2 s for the highest throughput and 6 s at twice that, with"),
        ("stall", "; one run of 6 s for each kind of large request. numpy 2."),
        ("memory", "; one run of 4 min, in turns of 2 s for each kind of request. numpy 2."),
    ],
)
def test_each_part_names_its_own_duration(part, duration):
    """Not all parts are medians of rounds, and a round isn't equally long in all."""
    record = {
        "conditions": {"machine": "X", "versions": {"numpy": "2"}, "commit": "abc", "load_before": 0.0},
        "options": {"cores": {"server": 0, "client": 1}, "rounds": 3, "seconds": 2, "minutes": 4, "server_args": []},
        "figures": [],
    }

    assert duration in render(part, record)[-1]


def test_page_has_a_place_for_each_part():
    """Whatever is measured is published."""
    page = (CHECKOUT / "docs" / "performance.md").read_text()

    assert [line[5:-4] for line in page.splitlines() if line.startswith("<!-- ") and line != "<!-- end -->"] == [*PARTS]


def test_earlier_commit_has_its_share_of_the_empty_endpoint_in_the_same_round():
    """The median of each round's share, not the share of the medians."""
    runs = [
        {"cpu_us": 100.0, "empty_cpu_us": 90.0, "bad_statuses": 0, "socket_errors": 0},
        {"cpu_us": 200.0, "empty_cpu_us": 220.0, "bad_statuses": 0, "socket_errors": 0},
        {"cpu_us": 400.0, "empty_cpu_us": 400.0, "bad_statuses": 0, "socket_errors": 2},
    ]
    figure = {"kind": "npy", "differs": True, "connections": 64, "commit": "0123456789abcdef", "runs": runs}

    row = "| npy | differ | 64 | `0123456789` | 200 (100 to 400) | 220 (90 to 400) | 1.00 (0.90 to 1.10) | **2** |"
    assert row in earlier_commit.report([figure])
