"""`benchmarks.scaling`: the simulation's laws, and the page made from its record. Asserts no measured result."""

import json
import os
import statistics
import subprocess
import sys

import pytest

from benchmarks.scaling.forms import descendants
from benchmarks.scaling.page import JSON, PAGE, PARTS, render
from benchmarks.scaling.simulation import MAX_BATCH, Fleet, Scaling, ServiceTimes, simulate

TIMES = ServiceTimes(per_cycle=0.004, per_request=0.001, per_rejection=0.0)

HIGHEST = MAX_BATCH / (TIMES.per_cycle + MAX_BATCH * TIMES.per_request)


def constant(rate):
    """Return a function of time that is constant."""
    return lambda _now: rate


def test_quiet_replica_takes_one_cycle():
    """Requests that never meet share nothing: each takes a cycle and its own time."""
    outcome = simulate(constant(10), Fleet(times=TIMES, limit=100), seconds=5)

    assert outcome.rejected_at == []
    assert {round(latency, 9) for _, latency in outcome.latencies_s} == {0.005}


def test_overloaded_replica_sheds_the_excess():
    """At twice the highest rate it answers the highest, and as many wait as the limit allows."""
    limit = 4 * MAX_BATCH
    outcome = simulate(constant(2 * HIGHEST), Fleet(times=TIMES, limit=limit), seconds=20)

    late = [latency for arrived, latency in outcome.latencies_s if arrived > 5]
    assert len(outcome.latencies_s) / 20 == pytest.approx(HIGHEST, rel=0.05)
    assert len(outcome.rejected_at) / 20 == pytest.approx(HIGHEST, rel=0.1)
    assert statistics.median(late) == pytest.approx(limit / HIGHEST, rel=0.15)


def test_two_replicas_answer_twice_as_many():
    """The balancer uses both."""
    outcome = simulate(constant(1.8 * HIGHEST), Fleet(times=TIMES, limit=MAX_BATCH, replicas=2), seconds=10)

    assert outcome.rejected_at == []
    assert len(outcome.latencies_s) / 10 == pytest.approx(1.8 * HIGHEST, rel=0.05)


def test_autoscaler_follows_the_load_up_and_down():
    """Replicas start some time after the rise, and stop after the fall; nothing is rejected at the end."""
    scaling = Scaling(most=4, target=32, start_s=3, interval_s=2, keep_s=10)

    outcome = simulate(
        lambda now: HIGHEST * (2.5 if 5 < now < 40 else 0.1),
        Fleet(times=TIMES, limit=MAX_BATCH, scaling=scaling),
        seconds=80,
        seed=0,
    )

    counts = [count for _, count in outcome.replicas_at]
    assert outcome.replicas_at[0][0] > 5 + scaling.start_s
    assert max(counts) >= 3
    assert counts[-1] == 1
    assert max(outcome.rejected_at) < 40
    # While it lasts, the load needs three, even if their queues are short.
    assert min(count for time, count in outcome.replicas_at if 15 < time < 40) >= 3


def test_page_shows_the_record():
    """The tables of the page are made from the JSON file."""
    records = json.loads(JSON.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")

    assert set(records) <= set(PARTS)
    for name, record in records.items():
        lines = "\n".join(render(name, record))
        assert f"<!-- {name} -->\n{lines}\n<!-- end -->" in page


def test_descendants_are_found():
    """A process that has started another counts with it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        pids = descendants([os.getpid()])
        assert child.pid in pids
        child.communicate(b"\n")
