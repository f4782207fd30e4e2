"""The forward pass of the model layer by layer, the same for all frameworks. Imports none of them."""

from collections.abc import Callable
from typing import Any


def layer_outputs(
    model: Any, images: Any, eps: Any, *, relu: Callable[[Any], Any], reparameterize: Callable[[Any, Any, Any], Any]
) -> dict[str, Any]:
    """Return the output of each layer and z, in the order of the forward pass; hidden layers after their ReLU."""
    encoded = relu(model.encoder.hidden(images))
    mean, logvar = model.encoder.mean(encoded), model.encoder.logvar(encoded)
    z = reparameterize(mean, logvar, eps)
    decoded = relu(model.decoder.hidden(z))
    return {
        "encoder.hidden": encoded,
        "encoder.mean": mean,
        "encoder.logvar": logvar,
        "z": z,
        "decoder.hidden": decoded,
        "decoder.logits": model.decoder.logits(decoded),
    }
