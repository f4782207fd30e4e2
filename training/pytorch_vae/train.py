"""Training in PyTorch: the state, a step, an epoch as a loop over batches, evaluation. No files, no printing."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int32, Int64
from numpy import ndarray
from torch import Tensor

from training.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.pytorch_vae.device import allow_tf32, device_name, select_device
from training.pytorch_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.pytorch_vae.model import VAE, reparameterize
from training.pytorch_vae.weights import export_weights, import_weights
from training.schedule import learning_rates
from training.trainer import StepFigures, TrainerState


@dataclass(kw_only=True)
class TrainState:
    """Model, optimizer and step, with a second model that holds the moving average of the weights.

    What changes from step to step is in tensors, for a CUDA graph repeats numbers of Python's as they were.
    """

    step: Int64[Tensor, ""]
    model: VAE
    optimizer: torch.optim.Optimizer
    learning_rates: Float32[Tensor, "steps"]
    ema_model: VAE
    ema_decay: float
    latent_dim: int


class Trainer:
    """What `training.loop` drives: the state, and the training images on the device."""

    framework = "pytorch"
    framework_version = str(torch.__version__)

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        images: Float32[ndarray, "n pixels"],
        *,
        device: str,
        weights: Weights | None = None,
    ) -> None:
        """Put images in [0, 1] on the device, and start from new weights or the given ones."""
        self._device = select_device(device)
        self.device = device_name(self._device)
        if config.compute_dtype == "tf32":
            allow_tf32()
        self._images = torch.tensor(images, device=self._device)
        with self._device:
            self._state = create_train_state(
                model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
            )

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        rows = torch.tensor(order, device=self._device)
        elbos, kls = train_epoch(self._state, self._images, rows, seed)
        return elbos.numpy(force=True), kls.numpy(force=True)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_model.state_dict())

    def state(self) -> TrainerState:
        """Return everything that the next step depends on."""
        # Adam makes its moments in the first step: before it, there is nothing to look up.
        found, zeros = self._state.optimizer.state, torch.zeros_like
        named = dict(self._state.model.named_parameters())
        first = {name: found[weight].get("exp_avg", zeros(weight)) for name, weight in named.items()}
        second = {name: found[weight].get("exp_avg_sq", zeros(weight)) for name, weight in named.items()}
        return TrainerState(
            step=int(self._state.step),
            weights=export_weights(self._state.model.state_dict()),
            ema_weights=export_weights(self._state.ema_model.state_dict()),
            first_moments=export_weights(first),
            second_moments=export_weights(second),
        )

    def restore(self, state: TrainerState) -> None:
        """Go on from where another trainer was."""
        self._state.step.fill_(state.step)
        self._state.model.load_state_dict(import_weights(state.weights))
        self._state.ema_model.load_state_dict(import_weights(state.ema_weights))
        first, second = import_weights(state.first_moments), import_weights(state.second_moments)
        for name, weight in self._state.model.named_parameters():
            self._state.optimizer.state[weight] = {
                "step": torch.tensor(float(state.step), device=self._device),
                "exp_avg": torch.empty_like(weight, requires_grad=False).copy_(first[name]),
                "exp_avg_sq": torch.empty_like(weight, requires_grad=False).copy_(second[name]),
            }


class Evaluator:
    """What `training.loop` measures weights with."""

    def __init__(self, model_config: ModelConfig, *, device: str) -> None:
        """Make a model on a device."""
        self._device = select_device(device)
        self.device = device_name(self._device)
        self._model = VAE(model_config).to(self._device)

    @torch.inference_mode()
    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats, with the pixels as they are."""
        self._model.load_state_dict(import_weights(weights))
        batch = torch.tensor(images, device=self._device)
        logits, mean, logvar = self._model(batch, torch.tensor(eps, device=self._device))
        log_likelihood = -binary_cross_entropy_with_logits(logits, batch)
        return log_likelihood.numpy(force=True), kl_divergence(mean, logvar).numpy(force=True)

    @torch.inference_mode()
    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        self._model.load_state_dict(import_weights(weights))
        mean, logvar = self._model.encode(torch.tensor(images, device=self._device))
        return mean.numpy(force=True), logvar.numpy(force=True)

    @torch.inference_mode()
    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        self._model.load_state_dict(import_weights(weights))
        batch, noise = torch.tensor(images, device=self._device), torch.tensor(eps, device=self._device)
        logits, mean, logvar = self._model(batch, noise)
        z = reparameterize(mean, logvar, noise)
        # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
        log_ratio = 0.5 * torch.sum(torch.square(noise) - torch.square(z) + logvar, dim=-1)
        log_weights = log_ratio - binary_cross_entropy_with_logits(logits, batch.expand_as(logits))
        return log_weights.numpy(force=True)


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step: weights new from the seed, or the given ones."""
    torch.manual_seed(config.seed)
    model = VAE(model_config, config.compute_dtype)
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
    )


def train_step(
    state: TrainState, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Take one step of Adam, in place, and return the batch's mean ELBO and KL before it."""
    state.optimizer.zero_grad()
    logits, mean, logvar = state.model(images, eps)
    mean_elbo = torch.mean(elbo(logits, images, mean, logvar))
    loss = -mean_elbo
    loss.backward()
    state.optimizer.param_groups[0]["lr"].copy_(torch.take(state.learning_rates, state.step))
    state.optimizer.step()

    with torch.no_grad():
        # A young average forgets faster, or it would remember the initial weights.
        decay = torch.clamp((1 + state.step) / (10 + state.step), max=state.ema_decay)
        for ema, new in zip(state.ema_model.parameters(), state.model.parameters(), strict=True):
            ema.lerp_(new, 1 - decay)
        mean_kl = torch.mean(kl_divergence(mean, logvar))
    state.step += 1
    return mean_elbo.detach(), mean_kl


def train_epoch(
    state: TrainState, images: Float[Tensor, "n pixels"], order: Int32[Tensor, "steps batch"], seed: int
) -> tuple[Float[Tensor, "steps"], Float[Tensor, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return each batch's ELBO and KL.

    Pixels are drawn anew as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """
    generator = torch.Generator(images.device).manual_seed(seed)
    indices = order[0].clone()  # each step's are written here

    def step() -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        batch = _bernoulli(torch.index_select(images, 0, indices), generator)
        eps = torch.randn(len(indices), state.latent_dim, generator=generator, device=images.device)
        return train_step(state, batch, eps)

    figures = [step()]
    take_step = _capture(step, generator) if images.is_cuda else step
    for row in order[1:]:
        indices.copy_(row)
        figures.append(take_step())
    elbos, kls = zip(*figures, strict=True)
    return torch.stack(elbos), torch.stack(kls)


def _bernoulli(probs: Float[Tensor, "batch pixels"], generator: torch.Generator) -> Float[Tensor, "batch pixels"]:
    # torch.bernoulli, whose every draw waits for the one before, takes four times as long on a CPU. Here four pixels
    # share a draw, 16 bits each: a probability is rounded up by at most 2^-16, and 0 and 1 stay as they are.
    words = torch.empty(-(-probs.numel() // 4), dtype=torch.int64, device=probs.device)
    bits = words.random_(-(2**63), None, generator=generator).view(torch.int16)[: probs.numel()]
    uniform = bits.view(probs.shape).float().add_(2**15).mul_(2**-16)
    return (uniform < probs).float()


def _capture(
    step: Callable[[], tuple[Float[Tensor, ""], Float[Tensor, ""]]], generator: torch.Generator
) -> Callable[[], tuple[Float[Tensor, ""], Float[Tensor, ""]]]:
    # The step as one CUDA graph: its kernels take six times as long if Python starts each of them. It must have been
    # taken before, or what is made once, such as Adam's moments, would be made anew each time.
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        mean_elbo, mean_kl = step()

    def replay() -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        graph.replay()
        return mean_elbo.clone(), mean_kl.clone()

    return replay
