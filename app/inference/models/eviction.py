"""Eviction of a framework's models: which are unloaded for another one, and when there is capacity for it."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from app.errors import FrameworkUnavailableError
from app.inference.models.state import RETRY_WHEN_BROKEN_S, LoadedModel, ModelKey

_CHECK_INTERVAL_S: Final = 0.05


def has_capacity(loaded: Collection[ModelKey], pinned: Collection[ModelKey], most: int) -> bool:
    """Return whether one more model may be loaded; pinned ones have their places even while they aren't loaded."""
    return len({*loaded, *pinned}) < most


async def evict_unused(
    loaded: Mapping[ModelKey, LoadedModel],
    pinned: Collection[ModelKey],
    most: int,
    unload: Callable[[ModelKey], None],
) -> None:
    """Unload models that have no jobs, least recently used first, until one more may be loaded.

    Raises:
        FrameworkUnavailableError: All places are those of pinned models.
    """
    while not has_capacity(loaded, pinned, most):
        unpinned = [key for key in loaded if key not in pinned]
        if not unpinned:
            names = ", ".join(key.name for key in pinned)
            raise FrameworkUnavailableError(
                f"TRIPTYCH_MAX_MODELS is {most}, and models that stay loaded from the start take every place: "
                f"use one of {names}, or raise it",
                retry_after_s=RETRY_WHEN_BROKEN_S,
            )
        unused = next((key for key in unpinned if not loaded[key].batcher.has_jobs(loaded[key].adapter)), None)
        if unused is None:
            await asyncio.sleep(_CHECK_INTERVAL_S)
        else:
            unload(unused)
