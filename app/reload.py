"""Reloads API keys and checkpoints while the service runs, at SIGHUP or by `/admin/reload`."""

import logging
from collections.abc import Callable, Mapping

from app.api_keys import ApiKeys
from app.errors import FieldError, ReloadError, StartupError
from app.inference.models.registry import Registry
from app.inference.models.state import ReloadResult

logger = logging.getLogger(__name__)


class Reloader:
    """Reloads the API keys and checkpoints of an application."""

    def __init__(self, registry: Registry, keys: ApiKeys) -> None:
        self._registry = registry
        self._keys = keys
        self.broadcast_reload: Callable[[], None] = lambda: None
        """Called after a reload through this worker succeeded, to reload the other workers too."""

    async def reload(self, framework: str | None = None) -> Mapping[str, ReloadResult]:
        """Reload API keys and the checkpoint of one framework, or of all. Return the result for each model.

        Raises:
            ReloadError: A file can't be read or a checkpoint can't be loaded; the previous ones stay in service.
        """
        errors = []
        try:
            self._keys.reload()
        except StartupError as error:
            logger.error("the API keys stay as they were: %s", error)  # noqa: TRY400 -- it says what to do
            errors.append(FieldError("api_keys", "the file of keys can't be used; the server's log says why"))
        results = await self._registry.reload(framework)
        for name, result in results.items():
            if result.is_served:
                logger.info("%s", result.message)
            else:
                logger.error("%s", result.message)
                errors.append(FieldError(name, result.message))
        if errors:
            raise ReloadError("; ".join(map(str, errors)), errors)
        return results

    async def reload_and_log(self) -> None:
        """Reload everything, and log failures."""
        try:
            await self.reload()
        except ReloadError as error:
            unchanged = ", ".join(field.where for field in error.errors)
            logger.error("not reloaded, and as before: %s", unchanged)  # noqa: TRY400 -- the reasons are logged above
