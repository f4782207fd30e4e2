"""What is read again while the service runs: API keys and checkpoints, at SIGHUP or by `/admin/reload`."""

import logging
from collections.abc import Callable, Mapping

from app.exceptions import FieldError, ReloadError, StartupError
from app.inference.registry import Registry
from app.inference.states import Reload
from app.keys import Keys

logger = logging.getLogger(__name__)


class Reloader:
    """Reads again what an application was started with."""

    def __init__(self, registry: Registry, keys: Keys) -> None:
        self._registry = registry
        self._keys = keys
        self.tell_others: Callable[[], None] = lambda: None
        """Called after a reload that was asked for here and worked, to have other workers follow."""

    async def reload(self, framework: str | None = None) -> Mapping[str, Reload]:
        """Read the keys and the framework's checkpoint again, or all; return what came of each framework.

        Raises:
            ReloadError: Something can't be read or served; what was served before still is.
        """
        errors = []
        try:
            self._keys.reload()
        except StartupError as error:
            logger.error("the API keys stay as they were: %s", error)  # noqa: TRY400 -- it says what to do
            errors.append(FieldError("api_keys", "the file of keys can't be used; the server's log says why"))
        outcomes = await self._registry.reload(framework)
        for name, outcome in outcomes.items():
            if outcome.is_served:
                logger.info("%s", outcome.message)
            else:
                logger.error("%s", outcome.message)
                errors.append(FieldError(name, outcome.message))
        if errors:
            raise ReloadError("; ".join(map(str, errors)), errors)
        return outcomes

    async def reload_quietly(self) -> None:
        """Read all again; what goes wrong is logged."""
        try:
            await self.reload()
        except ReloadError:
            logger.error("the reload has failed; what it says above is served as before")  # noqa: TRY400 -- said above
