"""PyTorch's training step with its parts compiled whole: ELBO with its gradients, and the moving average.

Adam is left out: it is one fused C++ kernel, in which `torch.compile` would break the graph.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch._dynamo.utils import counters

from training.errors import CompilerError
from training.pytorch_vae.losses import elbo, kl_divergence
from training.pytorch_vae.model import VAE
from training.pytorch_vae.train import TrainState

Step = Callable[..., tuple[Float[Tensor, ""], Float[Tensor, ""]]]


def compile_step(mode: str) -> Step:
    """Return the step of `pytorch_vae.train.train_step`, with parts compiled in a mode of `torch.compile`.

    `fullgraph=True` makes a graph break an error.
    """
    compiled_means = torch.compile(_means, fullgraph=True, mode=mode)
    compiled_average = torch.compile(_average, fullgraph=True, mode=mode)

    def step(
        state: TrainState, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        state.optimizer.zero_grad()
        mean_elbo, mean_kl = compiled_means(state.model, images, eps, bfloat16=state.bfloat16)
        (-mean_elbo).backward()
        state.optimizer.param_groups[0]["lr"].copy_(torch.gather(state.learning_rates, 0, state.step))
        state.optimizer.step()
        with torch.no_grad():
            parameters = list(state.ema_model.parameters()), list(state.model.parameters())
            compiled_average(*parameters, state.step, state.ema_decay)
        state.step += 1
        return mean_elbo.detach(), mean_kl.detach()

    return step


@contextmanager
def no_graph_breaks() -> Iterator[None]:
    """Check at the end that something was compiled, and nothing with a break.

    Raises:
        CompilerError: A graph was broken, or none was compiled.
    """
    counters.clear()
    yield
    if counters["graph_break"] or not counters["stats"]["unique_graphs"]:
        raise CompilerError(
            f"torch.compile compiled {counters['stats']['unique_graphs']} graphs with the breaks "
            f"{dict(counters['graph_break'])}: expected no breaks, or what is timed isn't the compiled step"
        )


def _means(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"], *, bfloat16: bool
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the batch's mean ELBO and KL."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16):
        outputs: Any = model(images, eps)
    logits, mean, logvar = (output.float() for output in outputs)
    return torch.mean(elbo(logits, images, mean, logvar)), torch.mean(kl_divergence(mean, logvar))


def _average(
    ema: Iterable[nn.Parameter], new: Iterable[nn.Parameter], step: Int64[Tensor, ""], ema_decay: float
) -> None:
    """Move the averages toward the weights, in place."""
    decay = torch.clamp((1 + step) / (10 + step), max=ema_decay)
    for average, weights in zip(ema, new, strict=True):
        average.lerp_(weights, 1 - decay)
