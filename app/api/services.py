"""The objects that all requests share: settings, models, metrics, limits, memory budget, timers. Knows no request."""

from dataclasses import dataclass

from app.api.deadlines import DeadlineTimer
from app.api.memory_budget import MemoryBudget
from app.codecs.limits import Limits
from app.inference.models.registry import Registry
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
