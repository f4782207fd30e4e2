"""What Prometheus is told: one object counts for an application, one for each framework. Decides nothing.

Counting costs about a microsecond and is safe in any thread. Where there are several worker processes, each counts in
files of its own in the folder `PROMETHEUS_MULTIPROC_DIR`, which must be set before this is imported, and whichever of
them is asked tells the sum of all.
"""

import os
import platform
from bisect import bisect_left
from collections.abc import Mapping, Sequence
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

from app.inference.jobs import Timings

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

NO_FRAMEWORK: Final = "none"
"""The label of an answer that no framework gave."""

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
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def of(self, framework: str) -> "FrameworkMetrics":
        """Return what counts for one of the frameworks."""
        return self._frameworks[framework]

    def observe_answer(self, *, route: str, framework: str | None, status: int, total_s: float) -> None:
        """Count one answer of whatever status; the route is one that exists, never a path that a client made up."""
        key = (route, framework or NO_FRAMEWORK, status)
        bound = self._answers.get(key)
        if bound is None:
            bound = (self._families.requests.labels(*key), self._families.request_seconds.labels(*key[:2]))
            self._answers[key] = bound
        requests, seconds = bound
        requests.inc()
        seconds.observe(total_s)

    def count_refused(self, route: str, status: int) -> None:
        """Count an answer to what never became a request: its headers were wrong, late, too long, or too many came."""
        self._families.requests.labels(route, NO_FRAMEWORK, status).inc()

    def render(self) -> bytes:
        """Return all that was counted, by all worker processes, in Prometheus's text format."""
        if not self._is_multiprocess:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class FrameworkMetrics:
    """The metrics of one framework, each already bound to its labels."""

    def __init__(self, framework: str, families: "_Families") -> None:
        self._queue_s = families.stage_seconds.labels(framework, "queue")
        self._model_s = families.stage_seconds.labels(framework, "model")
        self._codec_s = families.stage_seconds.labels(framework, "codec")
        self._batch_rows = families.batch_rows.labels(framework)
        self._batch_s = families.batch_seconds.labels(framework)
        self._queue = families.queue.labels(framework)
        self._compilations = families.compilations.labels(framework)
        self._shed = families.shed.labels(framework)
        self._timed_out = families.timed_out.labels(framework)
        self._cancelled = families.cancelled.labels(framework)

    def observe_stages(self, timings: Timings) -> None:
        """Count where the time of an answered request went; the answer itself is counted by `Metrics`."""
        self._queue_s.observe(timings.queue_s)
        self._model_s.observe(timings.model_s)
        self._codec_s.observe(timings.codec_s)

    def observe_batch(self, rows: int, model_s: float) -> None:
        """Count one call of the model, of so many images or latents."""
        self._batch_rows.observe(rows)
        self._batch_s.observe(model_s)

    def set_queue(self, images: int) -> None:
        """Tell how many images and latents wait now."""
        self._queue.set(images)

    def set_compilations(self, count: int) -> None:
        """Tell how often the framework has compiled since it was ready."""
        self._compilations.set(count)

    def count_shed(self) -> None:
        """Count a request that was refused for a full queue."""
        self._shed.inc()

    def count_timeout(self) -> None:
        """Count a request that was dropped as its deadline passed."""
        self._timed_out.inc()

    def count_cancelled(self) -> None:
        """Count a request that was dropped as its client went away."""
        self._cancelled.inc()


class _Histogram(Histogram):
    """One that finds a value's bucket by bisection, where Prometheus's own client looks at one after another."""

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 -- as the client declares it
        """Count a value of a histogram whose labels are bound."""
        self._sum.inc(amount)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)


class _Families:
    """What there is to count, before its labels are known."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"triptych_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            # Of a worker process that has ended nothing waits any more.
            return Gauge(f"triptych_{name}", text, labels, registry=registry, multiprocess_mode="livesum")

        def histogram(name: str, text: str, *labels: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
            return _Histogram(f"triptych_{name}", text, labels, registry=registry, buckets=buckets)

        self.build = gauge("build_info", "Worker processes, by what they run.", "version", "python", "frameworks")
        self.requests = counter("requests", "Requests answered.", "route", "framework", "status")
        self.request_seconds = histogram(
            "request_seconds", "Seconds from a request's headers to its answer's.", "route", "framework"
        )
        self.stage_seconds = histogram(
            "stage_seconds",
            "Seconds of a request in the queue, in the model, and in the codecs that read and write its bytes.",
            "framework",
            "stage",
        )
        self.batch_rows = histogram("batch_rows", "Rows of a call of the model.", "framework", buckets=_ROWS)
        self.batch_seconds = histogram("batch_seconds", "Seconds of a call of the model.", "framework")
        self.queue = gauge("queue_images", "Images and latents that wait for the model.", "framework")
        self.compilations = gauge(
            "compilations_after_warmup", "Compilations once it was ready: each stalls its queue.", "framework"
        )
        self.shed = counter("shed", "Requests refused for a full queue.", "framework")
        self.timed_out = counter("timed_out", "Requests dropped as their deadline passed.", "framework")
        self.cancelled = counter("cancelled", "Requests dropped as their client went away.", "framework")
