"""Call /v2 with Triton's asyncio client, which decodes no compressed document.

python triton_aio_client.py HOST:PORT
"""

import asyncio
import sys

import numpy as np
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException


async def main() -> None:
    """Check documents, an error, and concurrent inference."""
    images = np.random.default_rng(0).random((3, 28, 28), np.float32)
    async with InferenceServerClient(sys.argv[1]) as client:
        assert await client.is_server_ready()
        assert (await client.get_server_metadata())["name"] == "triptych"
        assert (await client.get_model_metadata("jax-encode"))["name"] == "jax-encode"
        assert len(await client.get_model_repository_index()) == 18
        infer_input = InferInput("images", images.shape, "FP32")
        for coding in (None, "gzip", "deflate"):
            for binary in (True, False):
                infer_input.set_data_from_numpy(images, binary_data=binary)
                results = await asyncio.gather(
                    *(
                        client.infer(
                            "jax-encode",
                            [infer_input],
                            outputs=[InferRequestedOutput("latents", binary_data=binary)],
                            parameters={"seed": 7},
                            request_compression_algorithm=coding,
                            response_compression_algorithm=coding,
                        )
                        for _ in range(8)
                    )
                )
                for result in results:
                    np.testing.assert_allclose(result.as_numpy("latents"), results[0].as_numpy("latents"), atol=1e-5)
        message = ""
        try:
            await client.infer("resnet", [infer_input])
        except InferenceServerException as error:
            message = str(error)
        assert "unknown model" in message, message


asyncio.run(main())
print("all of it")
