"""The objects that all requests share: settings, models, metrics, limits, memory budget, timers. Knows no request."""

from dataclasses import dataclass
from typing import Any

from app.api.deadlines import DeadlineTimer
from app.api.memory_budget import MemoryBudget
from app.codecs.limits import Limits
from app.inference.models.registry import Registry
from app.inference.models.state import LoadedModel, ModelChoice
from app.observability.metrics import Metrics
from app.observability.request_observer import RequestObserver
from app.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The objects that every request to a model may use."""

    settings: Settings
    registry: Registry
    metrics: Metrics
    observer: RequestObserver
    limits: Limits
    memory: MemoryBudget
    deadlines: DeadlineTimer
    disconnect_checks: DeadlineTimer

    def find_model(self, choice: ModelChoice, state: dict[str, Any]) -> LoadedModel:
        """Return a loaded model, and record its framework and name in a request's state, for metrics, logs and traces.

        The framework is recorded even on an error, the name only once it is known to exist. Errors are those of
        `Registry.get`.
        """
        state["framework"] = choice.framework or self.registry.default
        model = self.registry.get(*choice)
        if choice.name is not None:
            state["model"] = choice.name
        return model
