"""Readiness of all frameworks and workers together: the rule of every readiness route. Loads nothing."""

from app.errors import FrameworkUnavailableError
from app.inference.models.registry import Registry
from app.inference.models.state import RETRY_WHEN_BROKEN_S, RETRY_WHILE_LOADING_S, Status
from app.inference.models.worker_board import WorkerStatus


def require_ready(registry: Registry) -> list[str]:
    """Return the frameworks that are ready, if all models of the start are in every worker.

    Models whose framework isn't installed don't count.

    Raises:
        FrameworkUnavailableError: One isn't, or none is installed; the message says why.
    """
    ready = [state.framework for state in registry.states if state.status is Status.READY]
    # A framework that isn't installed isn't waited for, unless there is nothing else.
    unready = [
        state
        for state in registry.start_states
        if state.status not in {Status.READY, Status.NOT_INSTALLED} or registry.all_failed
    ]
    if unready:
        loading = any(state.status is Status.LOADING for state in unready)
        raise FrameworkUnavailableError(
            "; ".join(str(state.reason) for state in unready),
            retry_after_s=RETRY_WHILE_LOADING_S if loading else RETRY_WHEN_BROKEN_S,
        )
    _require_workers_ready(registry)
    return ready


def require_model_ready(registry: Registry, framework: str, name: str | None = None) -> None:
    """Return if the model is loaded and its framework is ready in every worker; errors are those of `Registry.get`."""
    registry.get(framework, name)
    _require_workers_ready(registry, framework)


def _require_workers_ready(registry: Registry, framework: str | None = None) -> None:
    """Return if no other worker loads the models of the framework, or of any, or has failed ones.

    Raises:
        FrameworkUnavailableError: One does; the message has its number.
    """
    board = registry.board
    loading, failed = (board.find_others(status, framework) for status in (WorkerStatus.LOADING, WorkerStatus.FAILED))
    if loading or failed:
        number, problem = (loading[0], "is loading its models") if loading else (failed[0], "has a model that failed")
        raise FrameworkUnavailableError(
            f"worker {number + 1} of {board.workers} {problem}: try again in a few seconds",
            retry_after_s=RETRY_WHILE_LOADING_S if loading else RETRY_WHEN_BROKEN_S,
        )
