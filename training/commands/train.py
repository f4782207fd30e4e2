"""`python -m training train`: parses options and reports a run's progress. Computes nothing."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.checkpoints.safetensors_file import ensure_writable
from training.commands.command_line import ForgivingStream
from training.commands.earlier_run import find_state, warn_of_other_environment
from training.commands.options.data import (
    DataDirOption,
    DatasetOption,
    ImageSizeOption,
    InvertOption,
    ValidationImagesOption,
    data_arguments,
    describe_image_size,
)
from training.commands.options.initialization import InitializationOption
from training.commands.options.run import (
    DEFAULT_PRESET,
    describe_default,
    make_configs,
    merge_options,
    own_options,
    repeat_command,
)
from training.commands.options.snapshots import SNAPSHOTS, SnapshotsOption, describe_snapshots, parse_snapshots
from training.commands.run_steps import finish_run, follow_run, is_complete, name_devices, prepare_run
from training.commands.train_all import train_all
from training.config import ModelConfig, TrainConfig
from training.counts import count_of
from training.data import Dataset, load_dataset, parse_image_size
from training.engine.resume_state import STATE_FILE
from training.engine.run_lock import RunLock
from training.engine.trainer import describe_trainer
from training.errors import ConfigError
from training.frameworks import canonical_framework, framework_choices
from training.machine import describe_machine
from training.process.console import plain_console
from training.reporting.progress import choose_report
from training.reporting.run_folder import RunFolder, describe_run
from training.reporting.run_reporter import Recorder

_errors = plain_console(stderr=True)

_MODEL = ModelConfig()
_TRAIN = TrainConfig()


def train(
    *,
    framework: Annotated[str, typer.Option(help=f"{framework_choices()}, or all: one after the other.")],
    preset: Annotated[
        Literal["full", "quick"] | None,
        typer.Option(
            help="The recipe; the options below override it. full: 500 epochs, the bundled models' recipe. "
            "quick: 25 epochs, about a minute.",
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
    validation_images: ValidationImagesOption = None,
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
            help="Precision of matrix products; tf32 only on a GPU. Everything else is float32.",
            show_default=_TRAIN.compute_dtype,
        ),
    ] = None,
    initialization: InitializationOption = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of initial weights, order and noise.", show_default=str(_TRAIN.seed))
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"] | None, typer.Option(help="Where to compute.", show_default="auto")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Devices that share each batch, which it must divide: GPUs, or parts of the CPU to try it.",
            show_default="1",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help=f"Folder for FRAMEWORK/model.safetensors, which is replaced, and FRAMEWORK/{STATE_FILE}.",
            file_okay=False,
        ),
    ] = Path("runs"),
    snapshots: SnapshotsOption = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in the folder from its last epoch, with its own options but --data-dir, and "
            "--dataset if the folder of its images has moved. On the same kind of CPU, with as many cores and the same "
            "versions, the weights are exactly those of an uninterrupted run.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing run in the folder, which is otherwise an error.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only errors and the result.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line: each epoch, then the result.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw figures into FRAMEWORK/figures at the end.")] = True,
) -> None:
    """Train, and keep the checkpoint of the best validation epoch.

    Ctrl-C or SIGTERM: the current epoch, which is one compiled call, is
    finished and saved. A second one ends the run immediately.

    --resume continues from the last saved epoch, also after a crash.
    """
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite: expected one of them")
    explicit_options = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "warmup_epochs": warmup_epochs,
        "ema_decay": ema_decay,
        "hidden_dim": hidden_dim,
        "latent_dim": latent_dim,
        "dataset": dataset,
        "validation_images": validation_images,
        "target": target,
        "compute_dtype": compute_dtype,
        "initialization": initialization,
        "seed": seed,
        "device": None if device == "auto" else device,
        "devices": devices,
        "image_size": None if image_size is None else describe_image_size(parse_image_size(image_size)),
        "invert": invert or None,
        "snapshots": None if snapshots is None else describe_snapshots(parse_snapshots(snapshots)),
    }
    options = merge_options(preset, explicit_options)
    if framework.lower() == "all":
        make_configs(options, image_shape=(1, 1))  # a value out of range is one error, not one of each framework
        train_all(out, overwrite=overwrite)
        return
    name = canonical_framework(framework)
    sys.stdout = ForgivingStream(sys.stdout)
    path = out / name / "model.safetensors"
    lock = RunLock(path.parent)
    lock.acquire_existing()  # as early as possible: before seconds are spent on importing a framework
    state = None if overwrite else find_state(path, name, options, resume=resume)
    if state is not None:
        if state.finished and is_complete(path, with_figures=figures):
            _errors.print(f"{path.parent}: finished after {count_of(state.epoch, 'epoch')}: nothing to resume")
            return
        if state.epoch == state.config.epochs:
            _errors.print(f"{path.parent}: trained for {count_of(state.epoch, 'epoch')}: completing what is missing")
        options = own_options(state) | options
    image_size, invert = options.get("image_size"), options.get("invert", False)
    snapshot_epochs = parse_snapshots(options.get("snapshots", SNAPSHOTS))
    data = data_arguments(data_dir, image_size, invert=invert)

    def load(dataset_name: str) -> Dataset:
        image_shape = None if image_size is None else parse_image_size(image_size)
        return load_dataset(dataset_name, data_dir=data_dir, image_shape=image_shape, invert=invert)

    report = choose_report(
        name,
        epochs=state.config.epochs if state else make_configs(options, image_shape=(1, 1))[1].epochs,
        resumed_after=state.epoch if state else 0,
        quiet=quiet,
        as_json=as_json,
    )
    run = prepare_run(name, options, state, load)
    ensure_writable(path)
    lock.acquire()
    if state is not None:
        run.resume(state, path)
        warn_of_other_environment(path.parent, state.environment, run.environment)
    command = repeat_command(name, run.config, run.model_config, data)
    origin = {"command": command, "machine": describe_machine(), "data_sha256": run.data_sha256, "invert": invert}
    described = describe_run(describe_trainer(run.trainer) | origin, run.model_config, run.config, run.dataset)
    with report, RunFolder(path.parent, described, resumed_after=run.epoch) as folder:
        recorder = Recorder(report, folder, config=run.config, dataset=run.dataset)
        done = f", {run.epoch} of them done" if run.epoch else ""
        report.start(
            f"{name} {run.trainer.framework_version} on {name_devices(run)}: "
            f"{count_of(run.config.epochs, 'epoch')} of {count_of(len(run.dataset.train), 'image')}{done}"
        )
        stopped = follow_run(run, path, origin, recorder, snapshot_epochs)
        if stopped is None:
            finish_run(run, path, recorder, draws_figures=figures)
            command = shlex.join(["python", "-m", "app", "--checkpoints", str(out), "--frameworks", name])
            report.note(f"saved {path}; serve it: {command}")
    if stopped is not None:
        arguments = ["--framework", name, "--out", str(out), *data, "--resume"]
        command = shlex.join(["python", "-m", "training", "train", *arguments])
        best = f"the best so far is in {path}" if run.best else "nothing was saved"
        _errors.print(f"stopped after epoch {run.epoch} of {run.config.epochs}: {best}; continue with: {command}")
        raise typer.Exit(128 + stopped)
