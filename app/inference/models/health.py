"""Finds loaded models that can't compute any more: their process has ended, or a batch hangs. Changes none of them."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from app.errors import FrameworkFaultError
from app.inference.adapters.base import Adapter
from app.inference.models.state import LoadedModel, ModelKey

logger = logging.getLogger(__name__)

_CHECK_INTERVAL_S: Final = 0.25


async def repeat_check(check: Callable[[], None]) -> None:
    """Check the models again and again; an error of one check is logged once, and ends no later ones."""
    last_error = ""
    while True:
        await asyncio.sleep(_CHECK_INTERVAL_S)
        try:
            check()
        except Exception as error:
            if str(error) != last_error:
                logger.exception("the models couldn't be checked")
            last_error = str(error)


def find_faults(loaded: Mapping[ModelKey, LoadedModel]) -> Iterator[tuple[Adapter, FrameworkFaultError]]:
    """Yield the models whose adapters report a fault; the mapping may change meanwhile."""
    for key, model in tuple(loaded.items()):
        if fault := model.adapter.find_fault():
            yield model.adapter, FrameworkFaultError(str(key), fault)


def find_hang(
    loaded: Mapping[ModelKey, LoadedModel], longest_batch: tuple[Adapter, float] | None, limit_s: float
) -> tuple[Adapter, FrameworkFaultError] | None:
    """Return the adapter that has computed one batch for longer than the limit, if there is one; 0 is no limit."""
    if not limit_s or longest_batch is None or longest_batch[1] <= limit_s:
        return None
    adapter = longest_batch[0]
    return adapter, FrameworkFaultError(
        str(find_key(loaded, adapter) or "a model"), f"a batch has taken over {limit_s} s"
    )


def find_key(loaded: Mapping[ModelKey, LoadedModel], adapter: Adapter) -> ModelKey | None:
    """Return the model that an adapter computes, unless it was replaced or unloaded."""
    return next((key for key, model in loaded.items() if model.adapter is adapter), None)


def count_compilations(loaded: Mapping[ModelKey, LoadedModel]) -> int:
    """Return how often the models have compiled since they were ready."""
    return sum(model.adapter.count_compilations() - model.compilations_at_start for model in loaded.values())
