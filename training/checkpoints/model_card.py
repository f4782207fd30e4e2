"""Model cards: a README.md beside the checkpoints of a folder, written from their metadata."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.checkpoints.model_files import ModelFile, list_models
from training.checkpoints.safetensors_file import replace_file
from training.checkpoints.summary import describe_test_elbo, public_training, summarize
from training.counts import count_of
from training.errors import CheckpointError
from training.frameworks import FRAMEWORKS

MARK: Final = "<!-- Written from the checkpoints' metadata by `python -m training` and `python -m app models`. -->"
"""First line of a card. A README.md without it was written by hand and is never overwritten."""

_HEAD: Final = f"""{MARK}

# Model card

Variational autoencoders with Bernoulli pixels: encoder and decoder have one hidden layer each. A file holds weights and
metadata in [safetensors](https://github.com/huggingface/safetensors) format, and any of the three frameworks loads it;
loading runs no code.
"""

_LOADING: Final = """
## Loading

```python
from pathlib import Path

from training.checkpoints.checkpoint import load_checkpoint

checkpoint = load_checkpoint(Path("{path}"))
```

JAX:

```python
from training.jax_vae.model import VAE
from training.jax_vae.weights import import_weights

variables = {{"params": import_weights(checkpoint.weights)}}
logits, mean, logvar = VAE(checkpoint.model).apply(variables, images, eps)
```

TensorFlow:

```python
from training.tensorflow_vae.model import VAE
from training.tensorflow_vae.weights import import_weights

vae = VAE(checkpoint.model)
vae(images, eps)  # creates the weights
vae.set_weights(import_weights(checkpoint.weights))
logits, mean, logvar = vae(images, eps)
```

PyTorch:

```python
from training.pytorch_vae.model import VAE
from training.pytorch_vae.weights import import_weights

vae = VAE(checkpoint.model)
vae.load_state_dict(import_weights(checkpoint.weights))
logits, mean, logvar = vae(images, eps)
```

`images` is `(n, height * width)`, float32 in [0, 1]; `eps` is `(n, latents)`, standard normal noise.

As a service: `python -m app --checkpoints {checkpoints}`.

## Limits

- Images of another kind than the training data are redrawn as that kind. A low ELBO is a hint at such an image, not a
  reliable detector.
- Images are gray and of one size; the service resizes others. Pixels are independent given the latents, so uncertain
  parts are blurred.
- Reconstructions and samples can resemble training images: publish a model only if its data may be published.
- Figures on another data set, target or number of images are not comparable. One run says nothing about the framework.
- Not meant for decisions about people.
"""


def write_cards(folder: Path) -> None:
    """Write the card of all models in a framework's folder, unless its README.md was written by hand.

    Raises:
        CheckpointError: It can't be written.
    """
    path = folder / "README.md"
    try:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            return
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror}") from error
    models = list(_read_models(folder))
    if models:
        replace_file(path, render_card(models).encode())


def render_card(models: list[tuple[ModelFile, Checkpoint]]) -> str:
    """Render the card of a folder's models, which all have the same framework."""
    first = models[0][0]
    path = f"checkpoints/{first.framework}/{first.name}.safetensors"
    return _HEAD + "".join(_render(*model) for model in models) + _LOADING.format(path=path, checkpoints="checkpoints")


def _read_models(folder: Path) -> Iterator[tuple[ModelFile, Checkpoint]]:
    for model in list_models(folder.parent, folder.name):
        try:
            yield model, load_checkpoint(model.path)
        except CheckpointError:
            continue  # the service reports it


def _render(model: ModelFile, checkpoint: Checkpoint) -> str:
    info = FRAMEWORKS.get(checkpoint.framework)
    height, width = checkpoint.model.image_shape
    metrics = checkpoint.metrics
    images, draws = metrics.get("test_images"), metrics.get("test_draws")
    on = f", {count_of(images, 'test image', ',')}" if images else ""
    on += f", {count_of(draws, 'draw')} of noise" if draws else ""
    explained = "" if metrics.get("test_elbo_standard_error") is None else "; mean and its standard error"
    hidden_units = count_of(checkpoint.model.hidden_dim, "hidden unit")
    rows = {
        "File": f"`{model.name}.safetensors`, SHA-256 `{checkpoint.sha256}`",
        "Trained in": f"{info.title if info else checkpoint.framework} {checkpoint.framework_version}",
        "Data": f"{summarize(checkpoint).dataset}: gray images of {height} x {width} pixels (height x width)",
        "Architecture": f"{hidden_units}, {count_of(checkpoint.model.latent_dim, 'latent')}",
        "Test ELBO": f"{describe_test_elbo(checkpoint)}{on}{explained}",
        **_other_figures(checkpoint),
        "Recipe": _recipe(checkpoint),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items() if value]
    return "\n".join([f"\n## `{model.name}`\n", "| | |", "|---|---|", *lines, ""])


def _other_figures(checkpoint: Checkpoint) -> dict[str, str]:
    names = {
        "Test log-likelihood": "test_log_likelihood",
        "Test KL divergence": "test_kl_divergence",
        "Validation ELBO": "validation_elbo",
    }
    return {
        title: f"{checkpoint.metrics[name]:.2f} nats"
        for title, name in names.items()
        if isinstance(checkpoint.metrics.get(name), int | float)
    }


def _recipe(checkpoint: Checkpoint) -> str:
    options = dict(public_training(checkpoint))
    options.pop("dataset", None)
    best = checkpoint.metrics.get("epochs")
    parts = [f"{name.replace('_', ' ')} {value}" for name, value in options.items() if name != "machine"]
    parts += [f"best epoch {best}"] if best else []
    parts += [f"on {options['machine']}"] if "machine" in options else []
    return "; ".join(parts)
