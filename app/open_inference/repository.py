"""The model repository: which models could be served, and loading and unloading them by request."""

from collections.abc import Mapping
from typing import Any, Final

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value
from app.codecs.json_arrays import parse_object
from app.errors import FrameworkUnavailableError, InvalidValueError, NotFoundError
from app.inference.models.registry import Registry
from app.inference.models.state import RETRY_WHEN_BROKEN_S, ModelState, Status
from app.open_inference.catalog import ModelName, list_models
from app.open_inference.messages.members import read_flag, read_object
from app.open_inference.signatures import VERSION
from app.settings import Settings

_STATES: Final[Mapping[Status, str]] = {
    Status.AVAILABLE: "UNAVAILABLE",
    Status.READY: "READY",
    Status.LOADING: "LOADING",
    Status.FAILED: "UNAVAILABLE",
    Status.NOT_INSTALLED: "UNAVAILABLE",
    Status.UNLOADED: "UNAVAILABLE",
}


def list_repository(registry: Registry, body: Body) -> list[dict[str, Any]]:
    """Return every model with its state; the body may request only those that are ready.

    Raises:
        MalformedBodyError: The body is neither empty nor JSON.
        InvalidValueError: A member is wrong.
    """
    only_ready = read_flag(_read_members(body), "ready", where="body", default=False)
    states = {state.key: state for state in registry.all_states}
    entries = []
    for name in list_models(registry).values():
        key = registry.key(name.framework, name.model)
        entries.append(_describe(name, states.get(key)))
    return [entry for entry in entries if entry["state"] == "READY" or not only_ready]


async def load(registry: Registry, settings: Settings, name: ModelName, body: Body) -> None:
    """Load the model's checkpoint again, for all of its tasks, and serve it if that works.

    Raises:
        NotFoundError: Clients may not load models, or there is no such model.
        FrameworkUnavailableError: It can't be loaded; the model that was served before still is.
        InvalidValueError: The request brings parameters.
    """
    _require_explicit(settings)
    if read_object(_read_members(body).get("parameters"), "parameters"):
        raise invalid_value("parameters", "are not supported: the checkpoint is read from the server's folder")
    result = await registry.reload_model(registry.key(name.framework, name.model))
    if not result.is_served:
        raise FrameworkUnavailableError(result.message, retry_after_s=RETRY_WHEN_BROKEN_S)


async def unload(registry: Registry, settings: Settings, name: ModelName, body: Body) -> None:
    """Stop serving the model's checkpoint, with all of its tasks.

    Raises:
        NotFoundError: Clients may not unload models, or there is no such model.
        InvalidValueError: A member is wrong.
    """
    _require_explicit(settings)
    parameters = read_object(_read_members(body).get("parameters"), "parameters")
    read_flag(parameters, "unload_dependents", where="parameters", default=False)
    unknown = parameters.keys() - {"unload_dependents"}
    if unknown:
        raise InvalidValueError(f"parameters.{min(unknown)[:60]} is unknown: known here is unload_dependents")
    await registry.unload(registry.key(name.framework, name.model))


def _describe(name: ModelName, state: ModelState | None) -> dict[str, Any]:
    status = state.status if state else Status.AVAILABLE
    reason = state.reason if state else "it is loaded at its first request"
    shared = "all tasks of a checkpoint are loaded and unloaded together, by each worker"
    return {"name": str(name), "version": VERSION, "state": _STATES[status], "reason": reason or shared}


def _read_members(body: Body) -> Mapping[str, object]:
    return parse_object(body) if body else {}


def _require_explicit(settings: Settings) -> None:
    if settings.model_control_mode != "explicit":
        raise NotFoundError(
            "this server loads its models by itself, and none by request: its operator can allow that by "
            "TRIPTYCH_MODEL_CONTROL_MODE=explicit"
        )
