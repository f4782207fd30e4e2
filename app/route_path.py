"""The path of a request as route definitions have it. Matches none."""

from typing import Any


def route_path(scope: Any) -> str:
    """Return the path without the root path, as in route definitions."""
    path: str = scope["path"]
    # Once a mount has matched, `root_path` is the mount's.
    return path.removeprefix(scope.get("app_root_path", scope["root_path"]))
