"""`python -m training train`: options in, a run followed on the terminal. Nothing is computed here."""

import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from training.commands.data_options import DataDirOption, DatasetOption, ImageSizeOption, InvertOption, data_words
from training.commands.earlier_run import find_state, warn_of_unfinished
from training.commands.train_all import train_all
from training.config import ModelConfig, TrainConfig
from training.data import Dataset, load_dataset, parse_image_size
from training.frameworks import ALIASES, FRAMEWORKS, canonical_framework
from training.loop import EVALUATION_TARGET, TEST_DRAWS, Run
from training.machine import describe_machine
from training.options import (
    DEFAULT_PRESET,
    describe_default,
    make_configs,
    merge_options,
    repeat_command,
)
from training.reporting.progress import choose_report
from training.reporting.recorder import Recorder
from training.reporting.run_folder import RunFolder, describe_run
from training.run_lock import RunLock
from training.stop_request import StopRequest
from training.tensor_file import ensure_writable
from training.training_state import STATE_FILE, TrainingState

_errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

_MODEL = ModelConfig()
_TRAIN = TrainConfig()


def train(
    *,
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
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    invert: InvertOption = False,
    target: Annotated[
        Literal["dynamic", "fixed", "threshold"] | None,
        typer.Option(
            help="How training images are made binary: drawn each epoch, drawn once, or at 0.5.",
            show_default=_TRAIN.target,
        ),
    ] = None,
    compute_dtype: Annotated[
        Literal["float32", "tf32", "bfloat16"] | None,
        typer.Option(
            help="What matrix products are computed in; tf32 on a GPU alone. All else is in float32.",
            show_default=_TRAIN.compute_dtype,
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
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors and the result alone.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line: each epoch, and the result.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw figures into FRAMEWORK/figures at the end.")] = True,
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
        "compute_dtype": compute_dtype,
        "seed": seed,
        "device": None if device == "auto" else device,
    }
    options = merge_options(preset, given)
    data = data_words(data_dir, image_size, invert=invert)

    def load(dataset_name: str) -> Dataset:
        image_shape = None if image_size is None else parse_image_size(image_size)
        return load_dataset(dataset_name, data_dir=data_dir, image_shape=image_shape, invert=invert)

    path = out / name / "model.safetensors"
    lock = RunLock(path.parent)
    if path.parent.is_dir():
        lock.acquire()  # now if it can be: before seconds are spent on loading a framework
    state = find_state(path, name, options) if resume else None
    if state is not None and state.finished:
        _errors.print(f"{path.parent}: finished, all {state.epoch} epochs: nothing to resume")
        return
    report = choose_report(
        name,
        epochs=state.config.epochs if state else make_configs(options, image_shape=(1, 1))[1].epochs,
        resumed_after=state.epoch if state else 0,
        quiet=quiet,
        as_json=as_json,
    )
    run = _prepare(name, options, state, load)
    ensure_writable(path)
    lock.acquire()
    if state is not None:
        run.resume(state, path)
    elif not resume:
        warn_of_unfinished(path)
    origin = {"command": repeat_command(name, run.config, run.model_config, data), "machine": describe_machine()}
    with report, RunFolder(path.parent, _describe(run, origin), resumed_after=run.epoch) as folder:
        recorder = Recorder(report, folder, config=run.config, dataset=run.dataset)
        done = f", {run.epoch} of them done" if run.epoch else ""
        report.start(
            f"{name} {run.trainer.framework_version} on {run.trainer.device}: "
            f"{run.config.epochs} epochs of {len(run.dataset.train)} images{done}"
        )
        stopped = _follow(run, path, origin, recorder)
        if stopped is None:
            _finish(run, path, recorder, draws_figures=figures)
            command = shlex.join(["python", "-m", "app", "--checkpoints", str(out), "--frameworks", name])
            report.note(f"saved {path}; serve it: {command}")
    if stopped is not None:
        words = ["--framework", name, "--out", str(out), *data, "--resume"]
        command = shlex.join(["python", "-m", "training", "train", *words])
        best = f"the best so far is in {path}" if run.best else "nothing was saved"
        _errors.print(f"stopped after epoch {run.epoch} of {run.config.epochs}: {best}; go on: {command}")
        raise typer.Exit(128 + stopped)


def _prepare(
    framework: str, options: dict[str, Any], state: TrainingState | None, load: Callable[[str], Dataset]
) -> Run:
    if state is not None:
        return Run(framework, state.model, state.config, load(state.config.dataset), device=state.device)
    dataset = load(options.get("dataset", _TRAIN.dataset))
    model_config, config = make_configs(options, image_shape=dataset.image_shape)
    return Run(framework, model_config, config, dataset, device=options.get("device", "auto"))


def _describe(run: Run, origin: dict[str, str]) -> dict[str, Any]:
    trainer = {
        "framework": run.trainer.framework,
        "framework_version": run.trainer.framework_version,
        "device": run.trainer.device,
    }
    return describe_run(trainer | origin, run.model_config, run.config, run.dataset)


def _follow(run: Run, path: Path, origin: dict[str, str], recorder: Recorder) -> int | None:
    """Record the run's epochs as they end, and return the signal that ended it, if one did."""
    with StopRequest(_announce) as stop:
        for epoch in run.train(path, origin=origin):
            assert run.best is not None, "the first epoch is the best so far"
            recorder.epoch(epoch, run.best)
            if stop.number is not None:
                break
        return stop.number


def _finish(run: Run, path: Path, recorder: Recorder, *, draws_figures: bool) -> None:
    """Measure the best epoch on the test images, and record what came out."""
    measured = run.test(path)
    assert run.best is not None, "it was measured"
    line = (
        f"test -ELBO {-measured.elbo:.2f} +- {measured.elbo_standard_error:.2f} nats "
        f"(-log-likelihood {-measured.log_likelihood:.2f}, KL {measured.kl_divergence:.2f}), "
        f"{len(run.dataset.test)} images, target {EVALUATION_TARGET}, {TEST_DRAWS} draws"
    )
    recorder.result(run.best, path, line)
    if draws_figures:
        recorder.draw_figures(run.best)


def _announce(received: signal.Signals) -> None:
    _errors.print(f"{received.name}: stopping after this epoch; a second one ends at once")
