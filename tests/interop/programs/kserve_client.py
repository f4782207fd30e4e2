"""Call /v2 with KServe's own client, over REST and, with a second address, over gRPC.

python kserve_client.py http://HOST:PORT HOST:GRPC_PORT
"""

import asyncio
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

IMAGES = np.random.default_rng(0).random((3, 28, 28), np.float32)


def make_request(*, binary: bool) -> InferRequest:
    """Return a request for an encoder."""
    infer_input = InferInput("images", list(IMAGES.shape), "FP32")
    infer_input.set_data_from_numpy(IMAGES, binary_data=binary)
    return InferRequest("jax-encode", [infer_input], request_id="7", parameters={"seed": 7})


async def call_rest() -> dict[str, np.ndarray]:
    """Check health, readiness and inference, binary and JSON; return the outputs."""
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        assert await client.is_server_live(sys.argv[1])
        assert await client.is_server_ready(sys.argv[1])
        assert await client.is_model_ready(sys.argv[1], "jax-encode")
        results = []
        for binary in (True, False):
            response = await client.infer(sys.argv[1], make_request(binary=binary), model_name="jax-encode")
            assert response.id == "7"
            results.append({output.name: output.as_numpy() for output in response.outputs})
        assert list(results[0]) == ["mean", "logvar", "latents"]
        for name, array in results[0].items():
            np.testing.assert_allclose(array, results[1][name], atol=1e-5)
        return results[0]


async def call_grpc(expected: dict[str, np.ndarray]) -> None:
    """Check the same over gRPC."""
    async with InferenceGRPCClient(sys.argv[2]) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("jax-encode")
        for binary in (True, False):
            response = await client.infer(make_request(binary=binary))
            assert response.id == "7"
            for output in response.outputs:
                np.testing.assert_allclose(output.as_numpy(), expected[output.name], atol=1e-5)


async def main() -> None:
    """Call both."""
    await call_grpc(await call_rest())


asyncio.run(main())
print("all of it")
