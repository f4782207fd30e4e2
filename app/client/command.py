"""`python -m app client`: the API from a shell. Images are shown on the terminal, or written to a file."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Unpack

import httpx
import numpy as np
import typer
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image
from rich.console import Console

from app.client.client import Client
from app.client.errors import ClientError
from app.client.operations import ModelOptions
from training.data.image_formats import FORMATS
from training.terminal_images import fit_columns, print_images

cli: Final = typer.Typer(
    name="client",
    help=f"Send requests to a running service, of arrays (.npy, .npz) or image files ({', '.join(FORMATS)}).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Files = Annotated[
    list[Path], typer.Argument(help="Image files, or one .npy or .npz file.", exists=True, dir_okay=False)
]
Url = Annotated[str, typer.Option(help="Address of the service.", envvar="TRIPTYCH_URL")]
Key = Annotated[str | None, typer.Option(help="API key.", envvar="TRIPTYCH_API_KEY", show_envvar=True)]
Framework = Annotated[str | None, typer.Option(help="Framework; the service's default unless set.")]
Model = Annotated[str | None, typer.Option(help="Name of the model; the service's default unless set.")]
Weights = Annotated[
    str | None, typer.Option(help="Framework whose checkpoint of that name is loaded; the computing one unless set.")
]
Epoch = Annotated[
    int | None, typer.Option(min=0, help="Epoch of training whose snapshot is loaded; the checkpoint unless set.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the noise; a fresh one unless set.")]
Invert = Annotated[
    bool | None,
    typer.Option("--invert/--no-invert", help="The images are dark on light; found in each file with --centre."),
]
Centre = Annotated[
    bool, typer.Option("--centre", help="Crop and center the drawing in each image file, as MNIST's digits were.")
]


def _check_out(path: Path | None) -> Path | None:
    """Return the path if a file can be written there, before anything is computed for it."""
    if path is None:
        return None
    if path.suffix.lower() not in {".png", ".npy"}:
        raise typer.BadParameter(f"{path}: expected a name that ends in .png or .npy")
    if not os.access(path, os.W_OK) and not (os.access(path.parent, os.W_OK) and path.parent.is_dir()):
        raise typer.BadParameter(f"{path}: {path.parent} is no folder that can be written: create it, or name another")
    return path


Out = Annotated[
    Path | None,
    typer.Option(
        *("--out", "-o"),
        help="Write a .png or .npy file instead of showing the images.",
        callback=_check_out,
        dir_okay=False,
        writable=True,
    ),
]
Scale = Annotated[int, typer.Option(min=1, max=64, help="Pixels per image pixel in a .png file.")]

_URL: Final = "http://127.0.0.1:8000"


@cli.command()
def reconstruct(
    files: Files,
    *,
    framework: Framework = None,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    seed: Seed = None,
    invert: Invert = None,
    centre: Centre = False,
    out: Out = None,
    scale: Scale = 8,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Encode images, draw one latent each, and decode it."""
    with _client(url, api_key, framework=framework, model=model, weights=weights, epoch=epoch) as client:
        probs = client.reconstruct(files, seed=seed, invert=invert, centre=centre or None)
    _show(probs, out, scale)


@cli.command()
def sample(
    *,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of images.")] = 8,
    framework: Framework = None,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    seed: Seed = None,
    out: Out = None,
    scale: Scale = 8,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Decode latents drawn from the prior N(0, I)."""
    with _client(url, api_key, framework=framework, model=model, weights=weights, epoch=epoch) as client:
        probs = client.sample(n, seed=seed)
    _show(probs, out, scale)


@cli.command()
def interpolate(
    files: Files,
    *,
    steps: Annotated[int, typer.Option(min=2, help="Images on the line, both ends included.")] = 8,
    framework: Framework = None,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    invert: Invert = None,
    centre: Centre = False,
    out: Out = None,
    scale: Scale = 8,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Decode the straight line between the means of two images."""
    with _client(url, api_key, framework=framework, model=model, weights=weights, epoch=epoch) as client:
        probs = client.interpolate(files, steps=steps, invert=invert, centre=centre or None)
    _show(probs, out, scale)


@cli.command()
def encode(
    files: Files,
    *,
    framework: Framework = None,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    invert: Invert = None,
    centre: Centre = False,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Print mean and logvar of q(z|x) of each image, as JSON."""
    with _client(url, api_key, framework=framework, model=model, weights=weights, epoch=epoch) as client:
        result = client.encode(files, invert=invert, centre=centre or None)
    _print_json(result._asdict())


@cli.command()
def score(
    files: Files,
    *,
    samples: Annotated[int, typer.Option(min=1, help="Samples of the importance-weighted bound.")] = 1,
    framework: Framework = None,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    seed: Seed = None,
    invert: Invert = None,
    centre: Centre = False,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Print the ELBO of each image and its parts, as JSON."""
    with _client(url, api_key, framework=framework, model=model, weights=weights, epoch=epoch) as client:
        result = client.score(files, samples=samples, seed=seed, invert=invert, centre=centre or None)
    _print_json(result._asdict())


@cli.command()
def compare(
    files: Files,
    *,
    model: Model = None,
    weights: Weights = None,
    epoch: Epoch = None,
    seed: Seed = None,
    invert: Invert = None,
    centre: Centre = False,
    url: Url = _URL,
    api_key: Key = None,
) -> None:
    """Reconstruct images in every loaded framework with the same noise, and print how far they differ."""
    with _client(url, api_key, model=model, weights=weights, epoch=epoch) as client:
        result = client.compare(files, seed=seed, invert=invert, centre=centre or None)
    for framework, probs in result.probs.items():
        elbo = ", ".join(f"{value:.2f}" for value in result.elbo[framework])
        typer.echo(f"{framework}: ELBO {elbo} nats, {result.model_ms[framework]:.2f} ms")
        _show(probs, None, 1)
    for pair, difference in result.max_abs_difference.items():
        typer.echo(f"largest pixel difference, {pair}: {difference:.3g}")
    for framework, reason in result.unavailable.items():
        typer.echo(f"{framework}: {reason}", err=True)


@contextmanager
def _client(url: str, api_key: str | None, **model: Unpack[ModelOptions]) -> Iterator[Client]:
    """Yield a client."""
    with _errors_in_one_line(), Client(url, api_key=api_key, deadline_s=30, **model) as client:
        yield client


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Print an error in one line and exit with 1."""
    try:
        yield
    except (ClientError, httpx.InvalidURL, ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _show(probs: Float32[ndarray, "batch height width"], out: Path | None, scale: int) -> None:
    if out is None:
        console = Console(highlight=False, emoji=False)
        reduction, columns = fit_columns(console, probs.shape[2])
        for start in range(0, len(probs), columns):
            print_images(console, probs[start : start + columns], reduction=reduction)
        return
    with _errors_in_one_line(), out.open("wb") as file:
        if out.suffix.lower() == ".npy":
            np.save(file, probs)
        else:
            row = np.concatenate(list(probs), axis=1)
            pixels = np.rint(255 * row).astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
            Image.fromarray(pixels).save(file, "PNG")


def _print_json(values: dict[str, Any]) -> None:
    members = {name: value.tolist() for name, value in values.items() if value is not None}
    json.dump(members, sys.stdout)
    sys.stdout.write("\n")
