"""`python -m training evaluate`: prints a checkpoint's metrics, as tables or JSON. Computes nothing."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.commands.options.data import DataDirOption, OwnInvertOption, load_dataset_of
from training.counts import count_of
from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, binarize
from training.engine.evaluation import load_evaluator
from training.engine.likelihood_bounds import ACTIVE, Estimate, Measurement, measure
from training.engine.run import TEST_DRAWS
from training.errors import DataError
from training.frameworks import canonical_framework, framework_choices
from training.process.console import plain_console

_SEEDS = {"train": TRAIN_SEED, "validation": VALIDATION_SEED, "test": TEST_SEED}


def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Option(help="The model.safetensors to measure.", dir_okay=False)],
    samples: Annotated[
        list[int] | None,
        typer.Option(
            help="Draws for each image of the importance-weighted bound. Repeat it for several bounds from the same "
            "draws: --samples 50 --samples 500 --samples 5000.",
            min=1,
            max=100_000,
            show_default="500",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Data set to measure on, as for train.", show_default="the checkpoint's own"),
    ] = None,
    data_dir: DataDirOption = None,
    invert: OwnInvertOption = None,
    split: Annotated[Literal["train", "validation", "test"], typer.Option(help="Which split of it.")] = "test",
    framework: Annotated[
        str, typer.Option(help=f"Framework that computes, not necessarily the one that trained: {framework_choices()}.")
    ] = "jax",
    target: Annotated[
        Literal["fixed", "threshold"],
        typer.Option(help="How images are made binary: drawn once, or at 0.5. Figures of the two are not comparable."),
    ] = "fixed",
    draws: Annotated[int, typer.Option(help="Draws for each image of the ELBO.", min=1, max=100_000)] = TEST_DRAWS,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Measure a checkpoint: ELBO and its parts, bound, bits per pixel, and how much each latent is used."""
    loaded = load_checkpoint(checkpoint)
    name = canonical_framework(framework)
    counts = sorted(set(samples or (500,)))
    own = str(loaded.training.get("dataset", "mnist"))
    dataset = own if dataset is None else dataset
    images = load_dataset_of(loaded, dataset, data_dir=data_dir, invert=invert)
    if images.image_shape != loaded.model.image_shape:
        height, width = images.image_shape
        raise DataError(
            f"{dataset} has images of {height} x {width} pixels: expected "
            f"{loaded.model.image_shape[0]} x {loaded.model.image_shape[1]}, which the model of {checkpoint} takes; "
            "choose the data set that it was trained on"
        )
    errors = plain_console(stderr=True)
    trained_on = loaded.training.get("data_sha256")
    if dataset != own if trained_on is None else trained_on != images.sha256():
        inverted = " --invert" if loaded.training.get("invert") else ""
        errors.print(
            f"warning: {dataset}, as it was loaded, isn't the data set that the checkpoint was trained on, which is "
            f"{own}{inverted}: its figures aren't comparable with those of the training"
        )
    targets = binarize(getattr(images, split), target=target, seed=_SEEDS[split])
    evaluator = load_evaluator(name, loaded.model, device=device)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(
            f"{count_of(counts[-1], 'sample')} of {count_of(len(targets), 'image')}", total=counts[-1] * len(targets)
        )
        measured = measure(
            evaluator,
            loaded.weights,
            targets,
            draws=draws,
            samples=counts,
            advance=lambda count: progress.advance(task, count),
        )
    origin = {
        "checkpoint": str(checkpoint),
        "sha256": loaded.sha256,
        "trained_with": loaded.framework,
        "framework": name,
        "device": evaluator.device,
        "dataset": dataset,
        "split": split,
        "target": target,
        "images": len(targets),
        "draws": draws,
        "samples": counts[-1],
    }
    if as_json:
        print(json.dumps(origin | asdict(measured), indent=2))
    else:
        _print_tables(origin, loaded, measured)


def _print_tables(origin: dict[str, Any], loaded: Checkpoint, measured: Measurement) -> None:
    console = Console(emoji=False)
    console.print(
        f"{origin['checkpoint']}, trained with {loaded.framework}: {count_of(origin['images'], 'image')} of "
        f"{origin['dataset']}, {origin['split']} split, "
        f"target {origin['target']}, computed with {origin['framework']} on {origin['device']}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    figures = Table("figure", "unit")
    for header in ("value", "standard error"):
        figures.add_column(header, justify="right")
    for figure, unit, estimate, digits in (
        (f"ELBO ({count_of(origin['draws'], 'draw')})", "nats", measured.elbo, 2),
        ("  log-likelihood", "nats", measured.log_likelihood, 2),
        ("  KL divergence", "nats", measured.kl_divergence, 2),
        *((f"importance-weighted bound L{bound.samples}", "nats", bound.iwae, 2) for bound in measured.bounds),
        ("bits per pixel, by the ELBO", "bits", measured.bits_per_pixel, 4),
        ("bits per pixel, by the importance-weighted bound", "bits", measured.iwae_bits_per_pixel, 4),
    ):
        figures.add_row(figure, unit, *_cells(estimate, digits))
    figures.add_row(f"active units (activity above {ACTIVE})", "", f"{measured.active_units}", "")
    console.print(figures)
    for bound in measured.bounds:
        console.print(
            f"-L{bound.samples} is {-bound.iwae.value:.2f} nats, an upper bound of -log p(x); "
            f"median effective sample size {bound.effective_samples:.1f} of {bound.samples}.",
            highlight=False,
        )
    console.print("The standard errors are over images: they don't include how far a bound is from log p(x).")
    latents = Table()
    for header in ("latent", "KL (nats)", "standard error", "activity", "standard error"):
        latents.add_column(header, justify="right")
    for number, (kl, activity) in enumerate(zip(measured.kl_per_dimension, measured.activity, strict=True)):
        latents.add_row(str(number), *_cells(kl, 3), *_cells(activity, 3))
    console.print(latents)


def _cells(estimate: Estimate, digits: int) -> tuple[str, str]:
    error = "-" if estimate.standard_error is None else f"{estimate.standard_error:.{digits}f}"
    return f"{estimate.value:.{digits}f}", error
