"""`python -m training sweep`: parses options and reports a sweep's progress. Computes nothing."""

import importlib.util
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from training.commands.options.data import (
    DataDirOption,
    DatasetOption,
    ImageSizeOption,
    InvertOption,
    data_arguments,
)
from training.commands.options.run import repeat_command
from training.config import PRESETS, ModelConfig, TrainConfig
from training.data import load_dataset, parse_image_size
from training.errors import TrainingError
from training.frameworks import canonical_framework, framework_choices
from training.machine import describe_machine, installed_versions
from training.process.console import plain_console
from training.process.stop_request import StopRequest
from training.sweep.recipes import FIELDS, Cell, check_cells, make_cells, parse_recipe

if TYPE_CHECKING:
    from training.sweep.study import SweepStudy

_console = plain_console()
_errors = plain_console(stderr=True)


def sweep(
    *,
    framework: Annotated[str, typer.Option(help=f"{framework_choices()}.")],
    recipe: Annotated[
        list[str],
        typer.Option(
            help="Changes to the preset, such as learning_rate=0.001,ema_decay=0.999; base is the preset itself. "
            f"Repeat it for each recipe. Fields: {', '.join(FIELDS)}.",
        ),
    ],
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Runs of each recipe, with the seeds 0, 1, 2 and so on.")
    ] = 3,
    preset: Annotated[Literal["full", "quick"], typer.Option(help="The recipe that all others change.")] = "quick",
    epochs: Annotated[int | None, typer.Option(help="Epochs of each run; by default the preset's.")] = None,
    hidden_dim: Annotated[int, typer.Option(help="Units of each hidden layer.")] = ModelConfig().hidden_dim,
    latent_dim: Annotated[int, typer.Option(help="Length of z.")] = ModelConfig().latent_dim,
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    invert: InvertOption = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    out: Annotated[Path, typer.Option(help="Folder of the study, its runs and the tables.", file_okay=False)] = Path(
        "sweep"
    ),
) -> None:
    """Train recipes with several seeds each, and choose one by validation.

    The test images are used once, for the runs of the chosen recipe.

    Ctrl-C or SIGTERM: the current epoch is finished and saved. The same
    command continues: finished runs aren't repeated, in no case.
    """
    if importlib.util.find_spec("optuna") is None:
        raise TrainingError("optuna is not installed: run `pip install 'triptych[sweep]'`")
    name = canonical_framework(framework)
    base = PRESETS[preset] if epochs is None else replace(PRESETS[preset], epochs=epochs)
    base = replace(base, dataset=TrainConfig().dataset if dataset is None else dataset)
    cells = make_cells([parse_recipe(text) for text in recipe], base, seeds=seeds)
    image_shape = None if image_size is None else parse_image_size(image_size)
    arguments = data_arguments(data_dir, image_size, invert=invert)
    data = load_dataset(base.dataset, data_dir=data_dir, image_shape=image_shape, invert=invert)
    model_config = ModelConfig(image_shape=data.image_shape, hidden_dim=hidden_dim, latent_dim=latent_dim)
    check_cells(cells, model_config, data, device=device)

    # Optuna takes a second to import, and is an extra.
    from training.sweep.study import SweepStudy  # noqa: PLC0415
    from training.sweep.summary import summarize, write_summary  # noqa: PLC0415

    def describe_origin(config: TrainConfig) -> dict[str, Any]:
        command = repeat_command(name, config, model_config, arguments)
        return {"command": command, "machine": describe_machine(), "invert": invert}

    study = SweepStudy(out, name, model_config, data, device=device, describe_origin=describe_origin)
    origin = {"machine": describe_machine(), "versions": installed_versions(), "data": data.name, "seeds": seeds}
    stopped = None
    for number, cell in enumerate(cells, start=1):
        if not study.outcomes([cell]):
            stopped = _train(study, cell, f"{number} of {len(cells)}: {cell.recipe}, seed {cell.seed}")
        if stopped is not None:
            break
    summaries = summarize(study.outcomes(cells))
    tested = {}
    if stopped is None and summaries[0].mean is not None:
        tested = {cell.seed: study.test(cell) for cell in cells if cell.recipe == summaries[0].recipe}
    if summaries:
        _console.print(write_summary(out, name, summaries, tested, origin))
    if stopped is not None:
        _errors.print("stopped: the same command continues the sweep")
        raise typer.Exit(128 + stopped)
    _console.print(f"saved {out / name}.md and {out / name}.json")


def _train(study: "SweepStudy", cell: Cell, title: str) -> int | None:
    """Train a run to its end, or until a signal, which is returned."""
    with StopRequest(_announce) as stop:
        for epoch in study.run(cell):
            line = (
                f"{title}: epoch {epoch.number} of {cell.config.epochs}, validation -ELBO {-epoch.validation_elbo:.2f}"
            )
            _errors.print(line)
            if stop.number is not None and epoch.number < cell.config.epochs:
                return stop.number
        return stop.number


def _announce(received: signal.Signals) -> None:
    _errors.print(f"{received.name}: stopping after this epoch; a second one ends at once")
