"""Small infer requests on the fast path: the same parsing, operation and response as in the application."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import Response

from app.api.response_rendering import RawResponse
from app.api.small_request import Plan, PreparedOperation, has_many_values
from app.codecs.limits import Limits
from app.inference.models.registry import Registry
from app.inference.models.state import LoadedModel, ModelChoice
from app.inference.noise import choose_seed
from app.inference.operations import NamedArrays
from app.observability.timings import Timings
from app.open_inference.catalog import ModelName, list_defaults
from app.open_inference.errors import as_protocol_error
from app.open_inference.execution import LENGTH_FIELD, build_response, describe_origin
from app.open_inference.messages.request_head import Target
from app.open_inference.messages.requests import InferRequest, parse_request
from app.open_inference.messages.responses import choose_coding, dump_response
from app.open_inference.query import INFER_ADVICE, refuse_query
from app.open_inference.signatures import VERSION
from app.open_inference.tasks import prepare_operation


@dataclass(frozen=True, slots=True, eq=False)
class InferRoute:
    """The infer route of one model."""

    name: ModelName
    path: str

    header_names = (b"accept-encoding", LENGTH_FIELD)

    def plan(self, limits: Limits, query: bytes, *headers: bytes | None) -> Plan | None:
        """Return the plan for these headers; None if the response is to be compressed.

        Raises:
            InvalidValueError: The query has a parameter.
        """
        refuse_query(query, advice=INFER_ADVICE)
        encoding, length = headers
        if choose_coding((encoding or b"").decode("latin-1")) is not None:
            return None
        header = None if length is None else length.decode("latin-1")
        return Plan(ModelChoice(self.name.framework), partial(self._prepare, header, limits))

    def convert_error(self, response: Response) -> Response:
        """Return a problem document's response in the protocol's form."""
        return as_protocol_error(response)

    def _prepare(
        self, header_length: str | None, limits: Limits, body: bytes, model: LoadedModel
    ) -> PreparedOperation | None:
        if header_length is None and has_many_values(body):
            return None
        target = self.name.with_limits(model.adapter.model, limits)
        request = parse_request(body, header_length=header_length, target=target)
        seed = choose_seed(request.parameters.seed)
        operation = prepare_operation(self.name.task, model.adapter.model, request, seed=seed)
        if operation is None:
            return None
        render = partial(_render, request, target, describe_origin(model, self.name.task, seed))
        return PreparedOperation(operation, render, request.parameters.timeout_s)


def infer_routes(registry: Registry) -> dict[str, InferRoute]:
    """Return the infer routes by their paths, of the models that one operation serves."""
    models = [name for name in list_defaults(registry).values() if name.task != "score"]
    routes = {f"/v2/models/{name}/infer": InferRoute(name, "/v2/models/{model}/infer") for name in models}
    versioned = "/v2/models/{model}/versions/{version}/infer"
    return routes | {f"/v2/models/{name}/versions/{VERSION}/infer": InferRoute(name, versioned) for name in models}


def _render(
    request: InferRequest,
    target: Target,
    origin: Mapping[str, object],
    arrays: NamedArrays,
    timings: Timings,
) -> RawResponse:
    content, length = dump_response(request, target, arrays, origin)
    timings.total_s = time.perf_counter() - timings.arrived
    return build_response(content, length, None, timings)
