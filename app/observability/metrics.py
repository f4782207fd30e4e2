"""Prometheus metrics of an application and of each framework.

An update takes about a microsecond and is safe in any thread. Each of several worker processes counts in its own files
in the folder `PROMETHEUS_MULTIPROC_DIR`, which must be set before this module is imported; any worker renders the
sum of all.
"""

import os
import platform
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from app.observability.access_log import OTHER_ROUTE
from app.observability.process_metrics import WorkersCollector
from app.observability.timings import Timings

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

NO_FRAMEWORK: Final = "none"
"""Label of a response that no framework computed."""


# Seconds, from what one image takes to where a client has given up.
_SECONDS: Final = (5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one application."""

    def __init__(self, *, version: str, frameworks: Sequence[str]) -> None:
        self._is_multiprocess = FOLDER_VARIABLE in os.environ
        self._registry = CollectorRegistry()
        if not self._is_multiprocess:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
        families = _Families(self._registry)
        families.build.labels(version, platform.python_version(), ",".join(frameworks)).set(1)
        self._families = families
        self._frameworks = {framework: FrameworkMetrics(framework, families) for framework in frameworks}
        self._bound_metrics: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def for_framework(self, framework: str) -> "FrameworkMetrics":
        """Return the metrics of one of the frameworks."""
        return self._frameworks[framework]

    def observe_response(
        self, since: float, *, route: str, framework: str | None, status: int, timings: Sequence[Timings] = ()
    ) -> None:
        """Count a response to a request that arrived then, and its stages if its timings are complete.

        The route is one that exists, never a client's own path.
        """
        key = (route, framework or NO_FRAMEWORK, status)
        bound = self._bound_metrics.get(key)
        if bound is None:
            bound = (self._families.requests.labels(*key), self._families.request_seconds.labels(*key[:2]))
            self._bound_metrics[key] = bound
        requests, seconds = bound
        requests.inc()
        seconds.observe(time.perf_counter() - since)
        if framework is not None and timings and timings[0].total_s:
            self._frameworks[framework].observe_stages(timings[0])

    def count_rejected_request(self, status: int) -> None:
        """Count a response to a request that the application never sees: a malformed, late or too long one, say."""
        self._families.requests.labels(OTHER_ROUTE, NO_FRAMEWORK, status).inc()

    def connection_opened(self) -> None:
        """Count a connection of a client."""
        self._families.connections.inc()

    def connection_closed(self) -> None:
        """Count the end of a connection."""
        self._families.connections.dec()

    def count_rejected_connection(self) -> None:
        """Count a connection over the limit, whose request is rejected with 503."""
        self._families.rejected_connections.inc()

    def render(self) -> bytes:
        """Return the metrics of all worker processes in Prometheus's text format."""
        if not self._is_multiprocess:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client has no types there
        registry.register(WorkersCollector(Path(os.environ[FOLDER_VARIABLE])))
        PlatformCollector(registry=registry)
        return generate_latest(registry)


class FrameworkMetrics:
    """The metrics of one framework, bound to its labels."""

    def __init__(self, framework: str, families: "_Families") -> None:
        self._framework = framework
        self._ready = families.ready
        self._queue_s = families.stage_seconds.labels(framework, "queue")
        self._model_s = families.stage_seconds.labels(framework, "model")
        self._codec_s = families.stage_seconds.labels(framework, "codec")
        self._batch_rows = families.batch_rows.labels(framework)
        self._batch_s = families.batch_seconds.labels(framework)
        self._queue = families.queue.labels(framework)
        self._compilations = families.compilations.labels(framework)
        self._rejected = families.rejected.labels(framework)
        self._restarts = families.restarts.labels(framework)
        self._timed_out = families.timed_out.labels(framework)
        self._cancelled = families.cancelled.labels(framework)

    def observe_stages(self, timings: Timings) -> None:
        """Record the stages of a completed request: queue, model, and the rest, which is parsing and rendering."""
        self._queue_s.observe(timings.queue_s)
        self._model_s.observe(timings.model_s)
        self._codec_s.observe(timings.total_s - timings.queue_s - timings.model_s)

    def observe_batch(self, rows: int, model_s: float) -> None:
        """Record one call of the model and its number of images or latents."""
        self._batch_rows.observe(rows)
        self._batch_s.observe(model_s)

    def set_queue(self, images: int) -> None:
        """Set the number of images and latents in the queue."""
        self._queue.set(images)

    def set_compilations(self, count: int) -> None:
        """Set the number of compilations since the framework was ready."""
        self._compilations.set(count)

    def set_ready(self, *, is_ready: bool) -> None:
        """Set whether the framework serves requests; one that is never set has no value."""
        # Bound at its first value: a framework that isn't installed is none that should be ready.
        self._ready.labels(self._framework).set(is_ready)

    def count_rejected(self) -> None:
        """Count a request that was rejected because the queue was full."""
        self._rejected.inc()

    def count_restart(self) -> None:
        """Count a load of the framework after it failed."""
        self._restarts.inc()

    def count_timeout(self) -> None:
        """Count a request that was cancelled because its deadline passed."""
        self._timed_out.inc()

    def count_cancelled(self) -> None:
        """Count a request that was cancelled because its client disconnected."""
        self._cancelled.inc()


class _Histogram(Histogram):
    """A histogram that finds a value's bucket by bisection; Prometheus's own client searches them one by one."""

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 -- as the client declares it
        """Record a value of a histogram whose labels are bound."""
        self._sum.inc(amount)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)


class _Families:
    """The metric families, before their labels are bound."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"triptych_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            # livesum: a worker process that has ended has no queue.
            return Gauge(f"triptych_{name}", text, labels, registry=registry, multiprocess_mode="livesum")

        def histogram(name: str, text: str, *labels: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
            return _Histogram(f"triptych_{name}", text, labels, registry=registry, buckets=buckets)

        self.connections = gauge("connections", "Open connections of clients.")
        self.rejected_connections = counter(
            "rejected_connections", "Connections over the limit, whose requests got 503."
        )
        self.ready = Gauge(
            "triptych_framework_ready",
            "1 if every worker process serves the framework, 0 if one doesn't.",
            ["framework"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.build = gauge(
            "build_info", "Worker processes, by version, Python and frameworks.", "version", "python", "frameworks"
        )
        self.requests = counter(
            "requests", "Responses, by route, framework and status.", "route", "framework", "status"
        )
        self.request_seconds = histogram(
            "request_seconds", "Seconds from the end of a request's headers to its response.", "route", "framework"
        )
        self.stage_seconds = histogram(
            "stage_seconds",
            "Seconds of a request in the queue, in the model, and in the codecs: parsing and rendering.",
            "framework",
            "stage",
        )
        self.batch_rows = histogram(
            "batch_rows", "Images or latents in a batch, which is one call of the model.", "framework", buckets=_ROWS
        )
        self.batch_seconds = histogram("batch_seconds", "Seconds that the model takes for a batch.", "framework")
        self.queue = gauge("queue_images", "Images and latents in the queue or in the model.", "framework")
        self.compilations = gauge(
            "compilations_after_warmup",
            "Compilations since the framework was ready; each stalls its queue.",
            "framework",
        )
        self.rejected = counter("shed", "Requests rejected because the queue was full.", "framework")
        self.restarts = counter("framework_restarts", "Loads of a framework after it failed.", "framework")
        self.timed_out = counter("timed_out", "Requests cancelled because their deadline passed.", "framework")
        self.cancelled = counter("cancelled", "Requests cancelled because their client disconnected.", "framework")
