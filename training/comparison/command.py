"""`python -m training compare`: options in, a folder with a page, figures and plots out. Nothing is measured here."""

import json
import shlex
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console

from training.comparison.plan import SECTIONS, Plan
from training.comparison.record import Record
from training.comparison.sizes import FULL, SMOKE
from training.errors import ConfigError
from training.frameworks import ALIASES, FRAMEWORKS, canonical_framework, is_installed, require_installed

_errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


class _Stopped(KeyboardInterrupt):
    """A signal; what was being measured is lost, and its process ended."""

    def __init__(self, number: int) -> None:
        self.number = number


def compare(
    *,
    out: Annotated[Path, typer.Option(help="Folder of README.md, comparison.json and plots.", file_okay=False)] = Path(
        "docs/comparison"
    ),
    frameworks: Annotated[
        str, typer.Option(help=f"Names with commas between (or {', '.join(ALIASES)}).", metavar="NAMES")
    ] = ",".join(FRAMEWORKS),
    sections: Annotated[
        str,
        typer.Option(help="What to measure, with commas between; the others stay as they are.", metavar="NAMES"),
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
    resume: Annotated[bool, typer.Option("--resume", help="Measure only what comparison.json has not.")] = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Tiny sizes, to see that all of it works; the figures say nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print comparison.json at the end.")] = False,
) -> None:
    """Compare the frameworks on this machine: code, agreement, inference, training, quality.

    Writes a page with tables and plots. About half an hour on two idle cores;
    whatever else runs meanwhile spoils the timings.

    Nothing is timed unless the frameworks compute the same.
    """
    plan = Plan(
        frameworks=_parse_frameworks(frameworks),
        installed=tuple(filter(is_installed, FRAMEWORKS)),
        checkpoints=checkpoints,
        preset=preset,
        epochs=epochs,
        seeds=seeds,
        device=device,
        sizes=SMOKE if smoke else FULL,
        resume=resume,
        tell=_errors.print,
    )
    chosen = _parse_sections(sections)
    record = Record(out, smoke=smoke)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        for section in chosen:
            import_module(f"training.comparison.sections.{section}").measure(plan, record)
    except _Stopped as stopped:
        again = [word for word in sys.argv[1:] if word != "--resume"]
        _errors.print(f"stopped; go on: {shlex.join(['python', '-m', 'training', *again, '--resume'])}")
        raise typer.Exit(128 + stopped.number) from stopped
    # matplotlib takes half a second to import, which no other command should.
    from training.comparison.page import write_page  # noqa: PLC0415

    for path in write_page(out, record.content):
        _errors.print(str(path))
    if as_json:
        print(json.dumps(record.content))


def _parse_frameworks(text: str) -> tuple[str, ...]:
    wanted = {canonical_framework(name) for name in text.split(",")}
    for framework in wanted:
        require_installed(framework)
    return tuple(framework for framework in FRAMEWORKS if framework in wanted)


def _parse_sections(text: str) -> tuple[str, ...]:
    wanted = {name.strip() for name in text.split(",")}
    if not wanted <= set(SECTIONS):
        raise ConfigError(f"sections is {text[:60]!r}: expected some of {', '.join(SECTIONS)}, with commas between")
    return tuple(section for section in SECTIONS if section in wanted)


def _stop(number: int, _: object) -> NoReturn:
    raise _Stopped(number)
