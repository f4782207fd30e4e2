"""`python -m training train`: options in, a run followed on the terminal. Nothing is computed here."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training.config import ModelConfig, TrainConfig
from training.data import load_dataset
from training.frameworks import ALIASES, FRAMEWORKS, canonical_framework
from training.loop import EVALUATION_TARGET, TEST_DRAWS, Epoch, Run
from training.machine import describe_machine
from training.tensor_file import ensure_writable

_console = Console()
_errors = Console(stderr=True)

INTERRUPTED = 128 + signal.SIGINT
"""Exit status of a run that Ctrl-C ended."""

_MODEL = ModelConfig()
_TRAIN = TrainConfig()


def train(
    framework: Annotated[
        str, typer.Option(help=f"{', '.join(FRAMEWORKS)} (or {', '.join(ALIASES)}), or all: one after the other.")
    ],
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = _TRAIN.epochs,
    batch_size: Annotated[int, typer.Option(help="Images in a step.")] = _TRAIN.batch_size,
    learning_rate: Annotated[float, typer.Option(help="Highest step size of Adam.")] = _TRAIN.learning_rate,
    warmup_epochs: Annotated[
        float, typer.Option(help="Epochs over which the learning rate rises from 0; then it falls to 0 as a cosine.")
    ] = _TRAIN.warmup_epochs,
    ema_decay: Annotated[
        float, typer.Option(help="Decay a step of the moving average of the weights; 0 for none.")
    ] = _TRAIN.ema_decay,
    hidden_dim: Annotated[int, typer.Option(help="Units of each hidden layer.")] = _MODEL.hidden_dim,
    latent_dim: Annotated[int, typer.Option(help="Length of z.")] = _MODEL.latent_dim,
    dataset: Annotated[str, typer.Option(help="Data set: mnist.")] = _TRAIN.dataset,
    target: Annotated[
        Literal["dynamic", "fixed", "threshold"],
        typer.Option(help="How training images are made binary: drawn each epoch, drawn once, or at 0.5."),
    ] = "dynamic",
    seed: Annotated[int, typer.Option(help="Seed of initial weights, order and noise.")] = _TRAIN.seed,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    out: Annotated[
        Path, typer.Option(help="Folder for FRAMEWORK/model.safetensors, which is replaced.", file_okay=False)
    ] = Path("runs"),
) -> None:
    """Train, and keep the checkpoint of the best validation epoch.

    Ctrl-C ends a run early and keeps the best so far.
    """
    if framework.lower() == "all":
        _train_all()
        return
    name = canonical_framework(framework)
    config = TrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        warmup_epochs=warmup_epochs,
        ema_decay=ema_decay,
        target=target,
        dataset=dataset,
        seed=seed,
    )
    images = load_dataset(dataset)
    model_config = ModelConfig(image_shape=images.image_shape, hidden_dim=hidden_dim, latent_dim=latent_dim)
    path = out / name / "model.safetensors"
    origin = {"command": _command(name, config, model_config), "machine": describe_machine()}
    run = Run(name, model_config, config, images, device=device)
    ensure_writable(path)
    _console.print(
        f"{name} {run.trainer.framework_version} on {run.trainer.device}: {epochs} epochs of {len(images.train)} images"
    )
    stopped = _follow(run, path, origin, epochs)
    if run.best is None:
        _errors.print("stopped before the first epoch ended: nothing was saved")
        raise typer.Exit(INTERRUPTED)
    measured = run.test(path)
    _console.print(
        f"test -ELBO {-measured.elbo:.2f} +- {measured.elbo_standard_error:.2f} nats "
        f"(-log-likelihood {-measured.log_likelihood:.2f}, KL {measured.kl_divergence:.2f}), "
        f"{len(images.test)} images, target {EVALUATION_TARGET}, {TEST_DRAWS} draws",
        highlight=False,
        soft_wrap=True,
    )
    if stopped:
        _errors.print(f"stopped: the best so far, of epoch {run.best.metrics['epochs']}, is in {path}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED)
    _console.print(f"saved {path}; serve it: python -m app --checkpoints {shlex.quote(str(out))}", soft_wrap=True)


def _follow(run: Run, path: Path, origin: dict[str, str], epochs: int) -> bool:
    """Print the run's epochs as they end, and tell whether Ctrl-C ended it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(run.trainer.framework, total=epochs)
        try:
            for epoch in run.train(path, origin=origin):
                progress.console.print(_line(epoch, epochs), highlight=False, markup=False, soft_wrap=True)
                progress.advance(task)
        except KeyboardInterrupt:
            return True
    return False


def _line(epoch: Epoch, epochs: int) -> str:
    return (
        f"epoch {epoch.number:>{len(str(epochs))}}/{epochs}  {epoch.seconds:5.2f} s  "
        f"train: loss {-epoch.train_elbo:7.2f}, ELBO {epoch.train_elbo:8.2f}, KL {epoch.train_kl:5.2f}  "
        f"validation: loss {-epoch.validation_elbo:7.2f}, ELBO {epoch.validation_elbo:8.2f}, "
        f"KL {epoch.validation_kl:5.2f}{'  saved' if epoch.best else ''}"
    )


def _command(framework: str, config: TrainConfig, model_config: ModelConfig) -> str:
    """Return the command that repeats the run, whatever the defaults will be then."""
    options = {
        "framework": framework,
        "epochs": config.epochs,
        "batch-size": config.batch_size,
        "learning-rate": config.learning_rate,
        "warmup-epochs": config.warmup_epochs,
        "ema-decay": config.ema_decay,
        "hidden-dim": model_config.hidden_dim,
        "latent-dim": model_config.latent_dim,
        "dataset": config.dataset,
        "target": config.target,
        "seed": config.seed,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "training", "train", *words])


def _train_all() -> None:
    """Run this command once per framework, each in a process of its own, so that none slows another."""
    # The children get Ctrl-C too, from the terminal, and decide: wait for them.
    signal.signal(signal.SIGINT, lambda *_: None)
    failed = []
    for framework in FRAMEWORKS:
        # Of an option given twice, the last counts.
        words = [sys.executable, "-m", "training", *sys.argv[1:], "--framework", framework]
        code = subprocess.run(words, check=False).returncode
        if code == INTERRUPTED:
            raise typer.Exit(INTERRUPTED)
        if code:
            failed.append(framework)
    if failed:
        _errors.print(f"not trained: {', '.join(failed)}")
        raise typer.Exit(1)
