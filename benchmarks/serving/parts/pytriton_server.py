"""NVIDIA's Triton, by pytriton, with the same model in NumPy: python pytriton_server.py PORT WEIGHTS.npz.

Runs in an environment of pytriton's own, so it imports nothing of this project.
"""

import sys

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

MAX_BATCH = 256

port, path = int(sys.argv[1]), sys.argv[2]
weights = dict(np.load(path))


def dense(inputs: np.ndarray, name: str) -> np.ndarray:
    """Return a dense layer's outputs."""
    return inputs @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]


@batch
def reconstruct(images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the probs of images: encode, sample one latent each, decode."""
    hidden = np.maximum(dense(images.reshape(len(images), -1), "encoder.hidden"), 0)
    mean, logvar = dense(hidden, "encoder.mean"), dense(hidden, "encoder.logvar")
    eps = np.random.default_rng().standard_normal(mean.shape, np.float32)
    logits = dense(np.maximum(dense(mean + eps * np.exp(logvar / 2), "decoder.hidden"), 0), "decoder.logits")
    return {"probs": (1 / (1 + np.exp(-logits))).reshape(images.shape)}


config = TritonConfig(
    http_address="127.0.0.1",
    http_port=port,
    http_thread_count=4,
    allow_grpc=False,
    allow_metrics=False,
    log_verbose=0,
)
with Triton(config=config) as triton:
    triton.bind(
        model_name="reconstruct",
        infer_func=reconstruct,
        inputs=[Tensor(name="images", dtype=np.float32, shape=(28, 28))],
        outputs=[Tensor(name="probs", dtype=np.float32, shape=(28, 28))],
        # No request waits for another: Triton joins those that arrive while the model runs, as this service does.
        config=ModelConfig(max_batch_size=MAX_BATCH, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
    )
    triton.serve()
