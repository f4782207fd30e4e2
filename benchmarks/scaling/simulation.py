"""A SimPy model of the service: replicas that batch their queues, reject beyond a limit, and are started and stopped.

One replica works in cycles, as a core that the event loop and a framework share: it takes up to a batch of the waiting
requests, which share the cycle's fixed time, and answers all of them at its end.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

import simpy

MAX_BATCH: Final = 256
"""Maximum images that a replica computes at once."""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Measured times of a replica, in seconds."""

    per_cycle: float
    per_request: float
    per_rejection: float


@dataclass(frozen=True, slots=True)
class Scaling:
    """The rules of an autoscaler, which averages over one interval."""

    most: int
    """Most replicas."""

    target: float
    """Requests waiting or computed per replica that it aims at."""

    start_s: float
    """Seconds until a new replica is ready."""

    interval_s: float = 15.0
    """Seconds between two decisions."""

    keep_s: float = 300.0
    """Seconds for which the highest of its decisions holds, as Kubernetes' autoscaler has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Replicas behind a balancer that prefers the least loaded."""

    times: ServiceTimes
    """Of each replica."""

    limit: int
    """Requests that a replica queues or computes; further ones are rejected."""

    batch: int = MAX_BATCH
    """Maximum requests of a cycle."""

    replicas: int = 1
    """Number at the start."""

    scaling: Scaling | None = None
    """Rules of the autoscaler; None keeps the number."""


@dataclass(slots=True)
class Outcome:
    """Results of a run."""

    latencies_s: list[tuple[float, float]] = field(default_factory=list)
    """Time of arrival and latency of each response."""

    rejected_at: list[float] = field(default_factory=list)
    replicas_at: list[tuple[float, int]] = field(default_factory=list)


class _Replica:
    def __init__(self, env: simpy.Environment, fleet: Fleet, outcome: Outcome) -> None:
        self.load = 0
        """Requests waiting or being computed."""

        self._env = env
        self._times = fleet.times
        self._limit, self._batch = fleet.limit, fleet.batch
        self._outcome = outcome
        self._waiting: deque[float] = deque()
        self._rejections = 0
        self._wake = env.event()
        env.process(self._work())

    def receive(self) -> None:
        """Queue a request that arrives now, or reject it."""
        if self.load >= self._limit:
            self._rejections += 1
            self._outcome.rejected_at.append(self._env.now)
        else:
            self.load += 1
            self._waiting.append(self._env.now)
        if not self._wake.triggered:
            self._wake.succeed()

    def _work(self) -> Iterator[simpy.Event]:
        times = self._times
        while True:
            if not self._waiting and not self._rejections:
                self._wake = self._env.event()
                yield self._wake
            count = min(len(self._waiting), self._batch)
            batch = [self._waiting.popleft() for _ in range(count)]
            seconds = self._rejections * times.per_rejection + count * times.per_request
            self._rejections = 0
            yield self._env.timeout(seconds + (times.per_cycle if batch else 0))
            self.load -= count
            self._outcome.latencies_s += [(arrived, self._env.now - arrived) for arrived in batch]


def simulate(rate_at: Callable[[float], float], fleet: Fleet, *, seconds: float, seed: int | None = None) -> Outcome:
    """Return what clients see.

    Args:
        rate_at: Requests per second by time.
        fleet: The replicas.
        seconds: Duration.
        seed: Of Poisson arrivals; None sends at equal intervals, as the benchmarks' client does.
    """
    env = simpy.Environment()
    outcome = Outcome()
    running = [_Replica(env, fleet, outcome) for _ in range(fleet.replicas)]
    # As a benchmark: not a secret.
    draw: Any = random.Random(seed).expovariate if seed is not None else lambda rate: 1 / rate  # noqa: S311 -- no secret

    def arrive() -> Iterator[simpy.Event]:
        while True:
            yield env.timeout(draw(rate_at(env.now)))
            min(running, key=lambda replica: replica.load).receive()

    env.process(arrive())
    if fleet.scaling is not None:
        env.process(_scale(env, running, fleet.scaling, lambda: _Replica(env, fleet, outcome), outcome))
    env.run(until=seconds)
    return outcome


def _scale(
    env: simpy.Environment, running: list[_Replica], rules: Scaling, make: Callable[[], _Replica], outcome: Outcome
) -> Iterator[simpy.Event]:
    starting = 0
    decisions: list[tuple[float, int]] = []

    def start() -> Iterator[simpy.Event]:
        nonlocal starting
        starting += 1
        yield env.timeout(rules.start_s)
        starting -= 1
        running.append(make())
        outcome.replicas_at.append((env.now, len(running)))

    while True:
        loads = []
        for _ in repeat(None, 10):
            yield env.timeout(rules.interval_s / 10)
            loads.append(sum(replica.load for replica in running))
        decisions.append((env.now, min(rules.most, max(1, math.ceil(sum(loads) / len(loads) / rules.target)))))
        wanted = max(number for decided_at, number in decisions if env.now - decided_at <= rules.keep_s)
        for _ in range(wanted - len(running) - starting):
            env.process(start())
        if wanted < len(running):
            # Its last requests are answered, but it gets no further ones.
            running.remove(min(running, key=lambda replica: replica.load))
            outcome.replicas_at.append((env.now, len(running)))
