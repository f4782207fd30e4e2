"""A client of the protocol's gRPC service: one infer call of each framework, over and over."""

import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
import numpy as np

from app.open_inference.grpc_server.definition import SERVICE, message_class
from benchmarks.serving.cases import digits
from benchmarks.soak.requests import TOLERANCE
from training.frameworks import FRAMEWORKS

CLIENT_STATUSES = {grpc.StatusCode.OK: "200", grpc.StatusCode.RESOURCE_EXHAUSTED: "429"}

Outputs = Mapping[str, np.ndarray]


class GrpcCalls:
    """The calls of one channel."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self._call = self._channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=message_class("ModelInferRequest").SerializeToString,
            response_deserializer=message_class("ModelInferResponse").FromString,
        )

    async def run(self, statuses: Counter[str], faults: Counter[str], deadline: float) -> None:
        """Call until the end, and count the statuses and what is wrong."""
        expected = {framework: _read(await self._call(_request(framework))) for framework in FRAMEWORKS}
        statuses["200"] += len(expected)
        while time.monotonic() < deadline:
            framework = random.choice([*FRAMEWORKS])  # noqa: S311 -- an order
            try:
                outputs = _read(await self._call(_request(framework), timeout=60))
            except grpc.aio.AioRpcError as error:
                status = CLIENT_STATUSES.get(error.code())
                statuses[status or error.code().name] += 1
                if status is None:
                    faults[f"gRPC {framework}: {error.code().name}"] += 1
                continue
            statuses["200"] += 1
            for name, array in outputs.items():
                if not np.allclose(array, expected[framework][name], rtol=TOLERANCE, atol=TOLERANCE):
                    faults[f"gRPC {framework}: {name} differs"] += 1
        await self._channel.close()


def _request(framework: str) -> Any:
    images = digits(2).reshape(2, 28, 28)
    message = message_class("ModelInferRequest")(model_name=f"{framework}-reconstruct")
    message.parameters["seed"].int64_param = 7
    message.inputs.add(name="images", datatype="FP32", shape=images.shape)
    message.raw_input_contents.append(images.tobytes())
    return message


def _read(response: Any) -> Outputs:
    contents = zip(response.outputs, response.raw_output_contents, strict=True)
    return {output.name: np.frombuffer(content, np.float32) for output, content in contents}
