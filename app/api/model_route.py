"""A route that runs one operation on the arrays of its body, in the application and on the fast path."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Literal

from fastapi import Response
from numpy import ndarray

from app.api.execution import run_operation
from app.api.request_context import RequestContext
from app.api.request_parsing import InferenceRequest, OptionsT, add_options, parse_options, parse_query, read_inputs
from app.api.response_rendering import RawResponse, render
from app.api.small_request import Plan, PreparedOperation, has_many_values
from app.codecs.content_negotiation import OutputFormat
from app.codecs.limits import Limits
from app.codecs.payload import Payload, has_files, parse_plain
from app.inference.models.state import LoadedModel
from app.inference.operations import Operation
from training.config import ModelConfig

_JSON: Final = OutputFormat.JSON.media_type


@dataclass(frozen=True, slots=True, eq=False)
class ModelRoute(Generic[OptionsT]):
    """The route of one operation."""

    path: str
    options_type: type[OptionsT]
    field: Literal["images", "latents"]
    """Name of its input."""

    prepare: Callable[[InferenceRequest[OptionsT], Payload, ModelConfig, Limits], Operation]
    """Return the operation of a request on the inputs in its body."""

    header_names = (b"accept", b"content-type")

    async def respond(self, context: RequestContext) -> RawResponse:
        """Return the response to one request."""
        request = parse_query(context, self.options_type)
        model = await context.acquire_model(request.choice)
        request, operation = await read_inputs(context, request, model, self.prepare, field=self.field)
        return await run_operation(context, request, model, operation)

    def plan(self, limits: Limits, query: bytes, *headers: bytes | None) -> Plan:
        """Return the plan for a query and headers; errors are those of `parse_options`."""
        accept, content_type = headers
        request = parse_options(self.options_type, query, accept=accept, limits=limits)
        prepare = partial(self._prepare_small, request, (content_type or b"").decode("latin-1"), limits)
        return Plan(request.choice, prepare)

    def convert_error(self, response: Response) -> Response:
        """Return a problem document's response as it is."""
        return response

    def _prepare_small(
        self, request: InferenceRequest[OptionsT], content_type: str, limits: Limits, body: bytes, model: LoadedModel
    ) -> PreparedOperation | None:
        if content_type.lower().startswith(_JSON) and has_many_values(body):
            return None
        config = model.adapter.model
        payload = parse_plain(body, content_type=content_type, field=self.field, model=config, limits=limits)
        if payload is None or (not isinstance(payload.value, ndarray) and has_files(payload)):
            return None
        if payload.options or request.output is not None or request.scale > 1:
            request = add_options(request, payload, limits=limits)
        # Enlarging a PNG takes up to 256 times as long.
        if request.scale > 1:
            return None
        operation = self.prepare(request, payload, config, limits)
        return PreparedOperation(operation, partial(render, request, model, operation.seed))
