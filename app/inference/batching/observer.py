"""Interface through which a framework's batcher and models report to the metrics. Measures nothing."""

from typing import Protocol


class Observer(Protocol):
    """Receives the measurements of a batcher."""

    def observe_batch(self, rows: int, model_s: float) -> None:
        """Record a batch; called by the framework's thread."""
        ...

    def set_queue(self, images: int) -> None:
        """Record the number of rows that are queued or being computed."""
        ...

    def set_compilations(self, count: int) -> None:
        """Record the compilations since the framework was ready."""
        ...

    def set_ready(self, *, is_ready: bool) -> None:
        """Record whether the framework's default model serves requests."""
        ...

    def count_restart(self) -> None:
        """Count a load of the framework after it failed."""
        ...

    def count_rejected(self) -> None:
        """Count a request that was rejected because the queue was full."""
        ...
