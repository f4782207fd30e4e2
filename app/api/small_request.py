"""The interface between a route and the fast path: the plan, operation and response of a small request."""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from fastapi import Response

from app.api.response_rendering import RawResponse
from app.codecs.limits import Limits
from app.inference.models.state import LoadedModel, ModelChoice
from app.inference.operations import NamedArrays, Operation
from app.observability.timings import Timings

MAX_INPUT_BYTES: Final = 16 * 1024
"""Maximum bytes of inputs on the fast path, five images of MNIST; the application may render more in a thread."""

_MAX_VALUES: Final = MAX_INPUT_BYTES // 4
"""The number of float32 values in `MAX_INPUT_BYTES`."""


class PreparedOperation(NamedTuple):
    """A request, parsed and checked."""

    operation: Operation
    render: Callable[[NamedArrays, Timings], RawResponse]
    """Return the response with the arrays, and complete the timings."""

    timeout_s: float | None = None
    """Timeout in the body, in seconds; None if it has none."""


class Plan(NamedTuple):
    """The model and the parser of all requests with the same query and headers."""

    choice: ModelChoice

    prepare: Callable[[bytes, LoadedModel], PreparedOperation | None]
    """Parse the body for a model; None leaves the request to the application."""


class FastRoute(Protocol):
    """A route whose small requests take the fast path; compared by identity."""

    @property
    def path(self) -> str:
        """The route's name in the metrics."""
        ...

    @property
    def header_names(self) -> tuple[bytes, ...]:
        """The headers on which a plan depends."""
        ...

    def plan(self, limits: Limits, query: bytes, *headers: bytes | None) -> Plan | None:
        """Return the plan for a query and the headers of these names; None leaves the request to the application.

        The fast path keeps it for the next request with the same. Raises a ServiceError.
        """
        ...

    def __hash__(self) -> int:
        """Return a hash of the route's identity."""
        ...

    def convert_error(self, response: Response) -> Response:
        """Return a problem document's response in the form of the route."""
        ...


def has_many_values(text: bytes) -> bool:
    """Return whether a JSON text may have so many values that it is left to the application before it is parsed."""
    # A value and its comma are two bytes or more.
    return len(text) > 2 * _MAX_VALUES and text.count(b",") > _MAX_VALUES
