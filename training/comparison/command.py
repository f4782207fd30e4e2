"""`python -m training compare`: parses options and writes a folder with a page, results and plots. Measures nothing."""

import json
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.comparison.config import FULL, SECTIONS, SMOKE, ComparisonConfig
from training.comparison.results_file import ResultsFile
from training.errors import ConfigError
from training.frameworks import (
    canonical_framework,
    framework_aliases,
    is_installed,
    require_installed,
    trainable_frameworks,
)
from training.process.console import plain_console
from training.process.stop_signals import Stopped

_errors = plain_console(stderr=True)


def compare(
    *,
    out: Annotated[Path, typer.Option(help="Folder of README.md, comparison.json and plots.", file_okay=False)] = Path(
        "docs/comparison"
    ),
    frameworks: Annotated[
        str,
        typer.Option(
            help=f"Comma-separated names (or {', '.join(framework_aliases())}); others keep their results, "
            "or are measured again where code, agreement and cross compare these with them.",
            metavar="NAMES",
        ),
    ] = ",".join(trainable_frameworks()),
    sections: Annotated[
        str,
        typer.Option(help="Sections to measure, comma-separated; the others keep their results.", metavar="NAMES"),
    ] = ",".join(SECTIONS),
    checkpoints: Annotated[
        Path, typer.Option(help="Folder of FRAMEWORK/model.safetensors, for agreement and inference.", file_okay=False)
    ] = Path("checkpoints"),
    preset: Annotated[Literal["full", "quick"], typer.Option(help="The recipe of training and quality.")] = "quick",
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the quality runs.", min=1, show_default="the preset's")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Quality runs of each framework.", min=1, max=1000)] = 3,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Measure only what is missing in comparison.json.")] = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Tiny sizes, to check that everything runs; the results are meaningless.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print comparison.json at the end.")] = False,
) -> None:
    """Compare the frameworks on this machine: code, agreement, inference, training, quality, crossed weights.

    Writes a page with tables and plots. About an hour on two idle cores;
    anything that runs at the same time distorts the timings.

    Nothing is timed unless the frameworks compute the same.
    """
    config = ComparisonConfig(
        frameworks=_parse_frameworks(frameworks),
        installed=tuple(filter(is_installed, trainable_frameworks())),
        checkpoints=checkpoints,
        preset=preset,
        epochs=epochs,
        seeds=seeds,
        device=device,
        sizes=SMOKE if smoke else FULL,
        resume=resume,
        announce=_errors.print,
    )
    chosen = _parse_sections(sections)
    results = ResultsFile(out, smoke=smoke)
    try:
        for section in chosen:
            import_module(f"training.comparison.{SECTIONS[section]}.section").measure(config, results)
    except Stopped as stopped:
        arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
        _errors.print(f"stopped; continue with: {shlex.join(['python', '-m', 'training', *arguments, '--resume'])}")
        raise typer.Exit(stopped.exit_code) from stopped
    # matplotlib takes half a second to import: only the commands that draw pay for it.
    from training.comparison.page import write_page  # noqa: PLC0415

    for path in write_page(out, results.content):
        _errors.print(str(path))
    if as_json:
        print(json.dumps(results.content))


def _parse_frameworks(text: str) -> tuple[str, ...]:
    wanted = {canonical_framework(name) for name in text.split(",")}
    for framework in wanted:
        require_installed(framework)
    return tuple(framework for framework in trainable_frameworks() if framework in wanted)


def _parse_sections(text: str) -> tuple[str, ...]:
    wanted = {name.strip() for name in text.split(",")}
    if not wanted <= set(SECTIONS):
        raise ConfigError(f"sections is {text[:60]!r}: expected a comma-separated list of {', '.join(SECTIONS)}")
    return tuple(section for section in SECTIONS if section in wanted)
