"""`python -m training train`: options in, a run followed on the terminal. Nothing is computed here."""

import shlex
import signal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training.commands.train_all import train_all
from training.config import ModelConfig, TrainConfig
from training.data import load_dataset
from training.frameworks import ALIASES, FRAMEWORKS, canonical_framework
from training.loop import EVALUATION_TARGET, TEST_DRAWS, Epoch, Run
from training.machine import describe_machine
from training.options import DEFAULT_PRESET, check_options, describe_default, make_configs, merge_options
from training.run_lock import RunLock
from training.stop_request import StopRequest
from training.tensor_file import ensure_writable
from training.training_state import STATE_FILE, TrainingState, load_training_state, peek_training_state

_console = Console()
_errors = Console(stderr=True)

_MODEL = ModelConfig()
_TRAIN = TrainConfig()


def train(
    framework: Annotated[
        str, typer.Option(help=f"{', '.join(FRAMEWORKS)} (or {', '.join(ALIASES)}), or all: one after the other.")
    ],
    preset: Annotated[
        Literal["full", "quick"] | None,
        typer.Option(
            help="The recipe, of which the options below change parts. full: the best that was found. "
            "quick: a minute's work.",
            show_default=DEFAULT_PRESET,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images.", show_default=describe_default("epochs"))
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images in a step.", show_default=describe_default("batch_size"))
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest step size of Adam.", show_default=describe_default("learning_rate"))
    ] = None,
    warmup_epochs: Annotated[
        float | None,
        typer.Option(
            help="Epochs over which the learning rate rises from 0; then it falls to 0 as a cosine.",
            show_default=describe_default("warmup_epochs"),
        ),
    ] = None,
    ema_decay: Annotated[
        float | None,
        typer.Option(
            help="Decay a step of the moving average of the weights; 0 for none.",
            show_default=describe_default("ema_decay"),
        ),
    ] = None,
    hidden_dim: Annotated[
        int | None, typer.Option(help="Units of each hidden layer.", show_default=str(_MODEL.hidden_dim))
    ] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Length of z.", show_default=str(_MODEL.latent_dim))] = None,
    dataset: Annotated[str | None, typer.Option(help="Data set: mnist.", show_default=_TRAIN.dataset)] = None,
    target: Annotated[
        Literal["dynamic", "fixed", "threshold"] | None,
        typer.Option(
            help="How training images are made binary: drawn each epoch, drawn once, or at 0.5.",
            show_default=_TRAIN.target,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of initial weights, order and noise.", show_default=str(_TRAIN.seed))
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"] | None, typer.Option(help="Where to compute.", show_default="auto")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help=f"Folder for FRAMEWORK/model.safetensors, which is replaced, and FRAMEWORK/{STATE_FILE}.",
            file_okay=False,
        ),
    ] = Path("runs"),
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in the folder, from its last epoch, with its own options. "
            "On a CPU, with the same versions, it ends with the very weights of a run that was never stopped.",
        ),
    ] = False,
) -> None:
    """Train, and keep the checkpoint of the best validation epoch.

    Ctrl-C or SIGTERM: the epoch in progress, which is one compiled call,
    is finished and saved. A second one ends the run at once.

    --resume goes on from the last epoch that was saved, after these as after
    a crash.
    """
    if framework.lower() == "all":
        train_all()
        return
    name = canonical_framework(framework)
    path = out / name / "model.safetensors"
    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "warmup_epochs": warmup_epochs,
        "ema_decay": ema_decay,
        "hidden_dim": hidden_dim,
        "latent_dim": latent_dim,
        "dataset": dataset,
        "target": target,
        "seed": seed,
        "device": None if device == "auto" else device,
    }
    options = merge_options(preset, given)
    lock = RunLock(path.parent)
    if path.parent.is_dir():
        lock.acquire()  # now if it can be: before seconds are spent on loading a framework
    state = _find_state(path, name, options) if resume else None
    if state is not None and state.finished:
        _print(f"{path.parent}: finished, all {state.epoch} epochs: nothing to resume")
        return
    run = _prepare(name, options, state)
    ensure_writable(path)
    lock.acquire()
    if state is not None:
        run.resume(state, path)
    elif not resume:
        _warn_of_unfinished(path)
    done = f", {run.epoch} of them done" if run.epoch else ""
    _print(
        f"{name} {run.trainer.framework_version} on {run.trainer.device}: "
        f"{run.config.epochs} epochs of {len(run.dataset.train)} images{done}"
    )
    stopped = _follow(run, path)
    if stopped is not None:
        words = ["--framework", name, "--out", str(out), "--resume"]
        command = shlex.join(["python", "-m", "training", "train", *words])
        _print(f"stopped after epoch {run.epoch} of {run.config.epochs}; go on: {command}", console=_errors)
        raise typer.Exit(128 + stopped)
    measured = run.test(path)
    _print(
        f"test -ELBO {-measured.elbo:.2f} +- {measured.elbo_standard_error:.2f} nats "
        f"(-log-likelihood {-measured.log_likelihood:.2f}, KL {measured.kl_divergence:.2f}), "
        f"{len(run.dataset.test)} images, target {EVALUATION_TARGET}, {TEST_DRAWS} draws"
    )
    _print(f"saved {path}; serve it: python -m app --checkpoints {shlex.quote(str(out))}")


def _print(text: str, *, console: Console = _console) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _find_state(path: Path, framework: str, options: dict[str, Any]) -> TrainingState | None:
    place = path.with_name(STATE_FILE)
    if not place.exists():
        _print(f"{path.parent}: no run to resume: starting from the beginning")
        return None
    state = load_training_state(place)
    check_options(path.parent, framework, options, state)
    return state


def _prepare(framework: str, options: dict[str, Any], state: TrainingState | None) -> Run:
    if state is not None:
        return Run(framework, state.model, state.config, load_dataset(state.config.dataset), device=state.device)
    dataset = load_dataset(options.get("dataset", _TRAIN.dataset))
    model_config, config = make_configs(options, image_shape=dataset.image_shape)
    return Run(framework, model_config, config, dataset, device=options.get("device", "auto"))


def _warn_of_unfinished(path: Path) -> None:
    old = peek_training_state(path.with_name(STATE_FILE))
    if old is not None and not old["finished"]:
        _print(
            f"{path.parent}: replacing a run that was stopped after epoch {old['epoch']} of {old['config']['epochs']} "
            "(--resume would have gone on with it)"
        )


def _follow(run: Run, path: Path) -> int | None:
    """Print the run's epochs as they end, and return the signal that ended it, if one did."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    origin = {"command": _command(run), "machine": describe_machine()}
    with StopRequest(_announce) as stop, Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(run.trainer.framework, total=run.config.epochs, completed=run.epoch)
        for epoch in run.train(path, origin=origin):
            _print(_line(epoch, run.config.epochs), console=progress.console)
            progress.advance(task)
            if stop.number is not None:
                break
        return stop.number


def _announce(received: signal.Signals) -> None:
    _print(f"{received.name}: stopping after this epoch; a second one ends at once", console=_errors)


def _line(epoch: Epoch, epochs: int) -> str:
    return (
        f"epoch {epoch.number:>{len(str(epochs))}}/{epochs}  {epoch.seconds:5.2f} s  "
        f"train: loss {-epoch.train_elbo:7.2f}, ELBO {epoch.train_elbo:8.2f}, KL {epoch.train_kl:5.2f}  "
        f"validation: loss {-epoch.validation_elbo:7.2f}, ELBO {epoch.validation_elbo:8.2f}, "
        f"KL {epoch.validation_kl:5.2f}{'  saved' if epoch.best else ''}"
    )


def _command(run: Run) -> str:
    """Return the command that repeats the run, whatever the defaults will be then."""
    options = {
        "framework": run.trainer.framework,
        "epochs": run.config.epochs,
        "batch-size": run.config.batch_size,
        "learning-rate": run.config.learning_rate,
        "warmup-epochs": run.config.warmup_epochs,
        "ema-decay": run.config.ema_decay,
        "hidden-dim": run.model_config.hidden_dim,
        "latent-dim": run.model_config.latent_dim,
        "dataset": run.config.dataset,
        "target": run.config.target,
        "seed": run.config.seed,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "training", "train", *words])
