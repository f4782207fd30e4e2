"""NVIDIA's Triton, by pytriton, with six models in NumPy: python pytriton_backend.py PORT FRAMEWORK=WEIGHTS.npz...

Each framework is served as {framework}-encode, -decode and -vae, as a gateway expects. Imports nothing of this project.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytriton.proxy.data
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

Weights = dict[str, np.ndarray]

IMAGE = (28, 28)


def dense(weights: Weights, inputs: np.ndarray, name: str) -> np.ndarray:
    """Return a dense layer's outputs."""
    return inputs @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]


def encode(weights: Weights, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return mean and logvar of q(z|x)."""
    hidden = np.maximum(dense(weights, images.reshape(len(images), -1), "encoder.hidden"), 0)
    return {"mean": dense(weights, hidden, "encoder.mean"), "logvar": dense(weights, hidden, "encoder.logvar")}


def decode(weights: Weights, latents: np.ndarray) -> dict[str, np.ndarray]:
    """Return the logits of p(x|z)."""
    hidden = np.maximum(dense(weights, latents, "decoder.hidden"), 0)
    return {"logits": dense(weights, hidden, "decoder.logits").reshape(-1, *IMAGE)}


def vae(weights: Weights, images: np.ndarray, eps: np.ndarray) -> dict[str, np.ndarray]:
    """Return logits, mean and logvar."""
    posterior = encode(weights, images)
    return decode(weights, posterior["mean"] + eps * np.exp(posterior["logvar"] / 2)) | posterior


def tensor(name: str, *shape: int) -> Tensor:
    """Return the description of a tensor of float32, without the batch."""
    return Tensor(name=name, dtype=np.float32, shape=shape)


def mend_lock() -> None:
    """Have Triton's processes use a lock in Python: the embedded interpreter may be older than its standard library.

    The older interpreter's own lock lacks a method that the library calls. Triton copies this file of pytriton's.
    """
    path = Path(pytriton.proxy.data.__file__)
    call = "        tracker_fd = resource_tracker.getfd()"
    lock = "        resource_tracker._resource_tracker._lock = threading._PyRLock()\n"
    text = path.read_text(encoding="utf-8")
    if lock not in text:
        path.write_text(text.replace(call, f"{lock}{call}"), encoding="utf-8")


def main() -> None:
    """Serve until a signal."""
    mend_lock()
    port, *pairs = sys.argv[1:]
    config = TritonConfig(http_address="127.0.0.1", http_port=int(port), allow_grpc=False, allow_metrics=False)
    with Triton(config=config) as triton:
        for pair in pairs:
            framework, path = pair.split("=")
            weights = dict(np.load(path))
            latent = weights["encoder.mean.bias"].size
            posterior = [tensor("mean", latent), tensor("logvar", latent)]
            images, logits = tensor("images", *IMAGE), tensor("logits", *IMAGE)
            for function, inputs, outputs in (
                (encode, [images], posterior),
                (decode, [tensor("latents", latent)], [logits]),
                (vae, [images, tensor("eps", latent)], [logits, *posterior]),
            ):
                triton.bind(
                    model_name=f"{framework}-{function.__name__}",
                    infer_func=batch(partial(function, weights)),
                    inputs=inputs,
                    outputs=outputs,
                    config=ModelConfig(max_batch_size=256, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
                )
        triton.serve()


if __name__ == "__main__":
    main()
