"""Training in PyTorch: the state, a step, an epoch as a loop over batches, evaluation. No files, no printing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Float32, Int32, Int64
from numpy import ndarray
from torch import Tensor

from training.checkpoints.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.engine.lr_schedule import learning_rates
from training.engine.trainer import StepFigures, TrainerState
from training.pytorch_vae.cuda_graph import GraphedStep
from training.pytorch_vae.data_parallel import Replica, Workers
from training.pytorch_vae.device import allow_tf32, device_name, select_device, select_devices
from training.pytorch_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.pytorch_vae.model import VAE, reparameterize
from training.pytorch_vae.sampling import bernoulli
from training.pytorch_vae.weights import export_moments, export_weights, import_moments, import_weights

_TrainStep = Callable[..., tuple[Float[Tensor, ""], Float[Tensor, ""]]]


@dataclass(kw_only=True)
class TrainState:
    """Model, optimizer and step, with a second model that holds the moving average of the weights."""

    step: Int64[Tensor, ""]  # a tensor, because a CUDA graph would repeat a Python number unchanged
    model: VAE
    optimizer: torch.optim.Optimizer
    learning_rates: Float32[Tensor, "steps"]
    ema_model: VAE
    ema_decay: float
    latent_dim: int
    bfloat16: bool
    forward: Callable[..., tuple[Tensor, Tensor, Tensor]]
    """The model, wrapped if several devices share the batch."""

    replica: Replica = field(default_factory=Replica)
    compiled_step: _TrainStep | None = None


class Trainer:
    """One training run on one or several devices: the state and the training images."""

    framework = "pytorch"
    framework_version = str(torch.__version__)

    def __init__(  # noqa: PLR0913 -- two more than its twins, for the comparison and for other processes
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        images: Float32[ndarray, "n pixels"],
        *,
        device: str,
        devices: int = 1,
        weights: Weights | None = None,
        compile_step: Callable[[_TrainStep], _TrainStep] | None = None,
        replica: Replica | None = None,
    ) -> None:
        """Put images in [0, 1] on the devices, and start from weights drawn from the seed or the given ones."""
        places = select_devices(device, devices)
        self.device = device_name(places[0])
        self._place = places[0]
        if config.compute_dtype == "tf32":
            allow_tf32()
        copied = {"model_config": model_config, "config": config, "images": images, "weights": weights}
        self._workers = Workers(Trainer, places, **copied)
        self._images = torch.tensor(images, device=self._place)
        with self._place:
            self._state = create_train_state(
                model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
            )
        self._state.replica = replica or self._workers.replica
        self._state.forward = self._state.replica.wrap(self._state.model)
        if compile_step is not None:  # for the comparison, instead of the CUDA graph
            self._state.compiled_step = compile_step(train_step)

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        with self._workers.repeat("train_epoch", order, seed=seed):
            elbos, kls = train_epoch(self._state, self._images, torch.tensor(order, device=self._place), seed)
            return elbos.numpy(force=True), kls.numpy(force=True)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_model.state_dict())

    def state(self) -> TrainerState:
        """Return all values that the next step depends on."""
        first, second = export_moments(self._state.optimizer)
        return TrainerState(
            step=int(self._state.step),
            weights=export_weights(self._state.model.state_dict()),
            ema_weights=export_weights(self._state.ema_model.state_dict()),
            first_moments=first,
            second_moments=second,
        )

    def restore(self, state: TrainerState) -> None:
        """Continue from the state of another trainer."""
        with self._workers.repeat("restore", state):
            self._state.step.fill_(state.step)
            import_moments(self._state.optimizer, state.step, state.first_moments, state.second_moments)
            self._state.model.load_state_dict(import_weights(state.weights))
            self._state.ema_model.load_state_dict(import_weights(state.ema_weights))


class Evaluator:
    """Measures weights on a device."""

    def __init__(self, model_config: ModelConfig, *, device: str) -> None:
        """Create the model."""
        self._place = select_device(device)
        self.device = device_name(self._place)
        self._model = VAE(model_config).to(self._place)

    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats; pixels may be gray."""
        log_likelihood, kl = elbo_terms(*self._load(weights, images, eps))
        return log_likelihood.numpy(force=True), kl.numpy(force=True)

    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        mean, logvar = encode(*self._load(weights, images))
        return mean.numpy(force=True), logvar.numpy(force=True)

    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        return log_weights(*self._load(weights, images, eps)).numpy(force=True)

    def _load(self, weights: Weights, *arrays: ndarray) -> tuple[Any, ...]:
        self._model.load_state_dict(import_weights(weights))
        return self._model, *(torch.tensor(array, device=self._place) for array in arrays)


@torch.inference_mode()
def elbo_terms(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"]]:
    """Return log-likelihood and KL of each image, in nats."""
    logits, mean, logvar = model(images, eps)
    return -binary_cross_entropy_with_logits(logits, images), kl_divergence(mean, logvar)


@torch.inference_mode()
def encode(
    model: VAE, images: Float[Tensor, "batch pixels"]
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
    """Return mean and logvar of q(z|x) of each image."""
    return model.encode(images)


@torch.inference_mode()
def log_weights(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "samples batch latent"]
) -> Float[Tensor, "samples batch"]:
    """Return log p(x|z) + log p(z) - log q(z|x) of each draw, in nats."""
    logits, mean, logvar = model(images, eps)
    z = reparameterize(mean, logvar, eps)
    # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
    log_ratio = 0.5 * torch.sum(torch.square(eps) - torch.square(z) + logvar, dim=-1)
    return log_ratio - binary_cross_entropy_with_logits(logits, images.expand_as(logits))


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step, with weights drawn from the seed or the given ones."""
    torch.manual_seed(config.seed)
    model = VAE(model_config)
    if weights is not None:
        model.load_state_dict(import_weights(weights))
    ema_model = VAE(model_config).requires_grad_(False)
    ema_model.load_state_dict(model.state_dict())
    step = torch.tensor(0)
    optimizer = torch.optim.Adam(
        model.parameters(),
        lr=torch.tensor(0.0),  # each step's is written here
        betas=(config.adam_b1, config.adam_b2),
        eps=config.adam_epsilon,
        fused=True,
        capturable=step.is_cuda,
    )
    return TrainState(
        step=step,
        model=model,
        optimizer=optimizer,
        learning_rates=torch.tensor(learning_rates(config, steps_per_epoch=steps_per_epoch)),
        ema_model=ema_model,
        ema_decay=config.ema_decay,
        latent_dim=model_config.latent_dim,
        bfloat16=config.compute_dtype == "bfloat16",
        forward=model,
    )


def train_step(
    state: TrainState, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Take one step of Adam, in place, and return the batch's mean ELBO and KL before it."""
    state.optimizer.zero_grad()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=state.bfloat16):
        outputs = state.forward(images, eps)
    logits, mean, logvar = (output.float() for output in outputs)
    mean_elbo = torch.mean(elbo(logits, images, mean, logvar))
    mean_kl = torch.mean(kl_divergence(mean, logvar))
    loss = -mean_elbo
    loss.backward()
    state.optimizer.param_groups[0]["lr"].copy_(torch.gather(state.learning_rates, 0, state.step))
    state.optimizer.step()

    with torch.no_grad():
        # The decay grows from 0.1, or the average would remember the initial weights.
        decay = torch.clamp((1 + state.step) / (10 + state.step), max=state.ema_decay)
        for ema, new in zip(state.ema_model.parameters(), state.model.parameters(), strict=True):
            ema.lerp_(new, 1 - decay)
    state.step += 1
    return mean_elbo.detach(), mean_kl.detach()


def train_epoch(
    state: TrainState, images: Float[Tensor, "n pixels"], order: Int32[Tensor, "steps batch"], seed: int
) -> tuple[Float[Tensor, "steps"], Float[Tensor, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return each batch's ELBO and KL.

    Pixels are drawn again in each epoch, as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """
    rng = torch.Generator(images.device).manual_seed(seed)

    def step(indices: Int32[Tensor, "batch"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        batch = bernoulli(rng, torch.index_select(images, 0, indices))
        eps = torch.randn(len(indices), state.latent_dim, generator=rng, device=images.device)
        own_batch, own_eps = state.replica.own_part(batch), state.replica.own_part(eps)
        return (state.compiled_step or train_step)(state, own_batch, own_eps)

    graphed = images.is_cuda and state.compiled_step is None and state.replica.count == 1
    take_step = GraphedStep(step, rng) if graphed else step
    elbos, kls = zip(*(take_step(indices) for indices in order), strict=True)
    return state.replica.mean(torch.stack(elbos)), state.replica.mean(torch.stack(kls))
