"""Members of the protocol's JSON objects, checked for their JSON types. Knows no tensor's contents."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.codecs.error_messages import invalid_value, join_with_or, truncated

_UNSUPPORTED: Final = ("shared_memory_region", "shared_memory_byte_size", "shared_memory_offset", "classification")


def find_name(members: Mapping[str, Any], known: Sequence[str], seen: Mapping[str, object], *, where: str) -> str:
    """Return the name of a tensor, which must be known, and not among those seen."""
    name = members.get("name")
    if not isinstance(name, str) or name not in known:
        found = truncated(name) if isinstance(name, str) else "missing, or not a string"
        raise invalid_value(f"{where}.name", f"is {found}: expected {join_with_or(list(known))}")
    if name in seen:
        raise invalid_value(f"{where}.name", f"is '{name}' for the second time: name each tensor once")
    return name


def check_supported(parameters: Mapping[str, object], where: str) -> None:
    """Raise an `InvalidValueError` if a tensor's parameters request an extension that isn't served."""
    for name in _UNSUPPORTED:
        if name in parameters:
            raise invalid_value(f"{where}.{name}", "is not supported by this server: leave it out")


def read_object(value: object, where: str) -> Mapping[str, Any]:
    """Return an object's members; none where it is left out or null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_value(where, "is not an object: expected a JSON object")
    return value


def read_list(value: object, where: str, *, is_required: bool = False) -> Sequence[object]:
    """Return a list; an empty one where it is left out or null, unless it is required."""
    if value is None and not is_required:
        return ()
    if not isinstance(value, list):
        problem = "is missing" if value is None else "is not a list"
        raise invalid_value(where, f"{problem}: expected a list of tensors")
    return value


def read_flag(parameters: Mapping[str, object], name: str, *, where: str, default: bool) -> bool:
    """Return a boolean parameter."""
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise invalid_value(f"{where}.{name}", "is not a boolean: expected true or false")
    return value
