"""The page: what `comparison.json` says, in words, tables and plots. Measures nothing."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from training.comparison.page import agreement, code, inference, quality, training
from training.comparison.page.rules import write_origins, write_rules
from training.comparison.page.summary import write_summary
from training.comparison.plan import SECTIONS
from training.reporting.figures.style import save
from training.tensor_file import replace_file

TITLES: Final = {
    "code": "Code",
    "training": "Training",
    "quality": "Quality",
    "agreement": "Agreement",
    "inference": "Inference",
}
"""The sections in the page's order."""

_WRITERS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "code": code.write,
    "training": training.write,
    "quality": quality.write,
    "agreement": agreement.write,
    "inference": inference.write,
}

_PLOTS: Final[Mapping[str, Mapping[str, Callable[[Mapping[str, Any]], Figure]]]] = {
    "code": {"code": code.draw},
    "training": {"training": training.draw},
    "quality": {"quality": quality.draw},
    "agreement": {"agreement": agreement.draw},
    "inference": {"inference": inference.draw},
}


def write_page(folder: Path, content: Mapping[str, Any]) -> Iterator[Path]:
    """Write README.md, the plots and, where code was compared, `code.md`; yield each file's path as it is there.

    Raises:
        CheckpointError: A file can't be written.
    """
    assert set(TITLES) == set(SECTIONS), "every section has its place on the page"
    sections = content["sections"]
    lines = ["# The three frameworks, compared", ""]
    if content["smoke"]:
        lines += ["**Measured with `--smoke`: the figures say nothing.**", ""]
    lines += [
        "One variational autoencoder, written three times. This page, its figures ([comparison.json](comparison.json))",
        "and its plots are the output of",
        "",
        "```sh",
        "python -m training compare",
        "```",
        "",
        "which measures all of it anew on the machine at hand, and writes to `--out`. `--sections` and `--frameworks`",
        "take a part of it, and leave the rest as it is; after an interruption `--resume` goes on.",
        "",
        *write_origins(content),
        *write_rules(content),
        *write_summary(content),
    ]
    for name, title in TITLES.items():
        lines += [f"## {title}", ""]
        if name not in sections:
            lines += [f"Not measured yet: `python -m training compare --sections {name}`.", ""]
            continue
        for plot, draw in _PLOTS[name].items():
            figure = draw(content)
            for suffix in (".png", ".svg"):
                path = folder / f"{plot}{suffix}"
                save(figure, path)
                yield path
            lines += [f"[![{title}]({plot}.png)]({plot}.svg)", ""]
        lines += _WRITERS[name](content)
    if "code" in sections:
        path = folder / "code.md"
        replace_file(path, "\n".join(code.write_differences(content)).encode())
        yield path
    path = folder / "README.md"
    replace_file(path, ("\n".join(_squeeze(lines)).rstrip() + "\n").encode())
    yield path


def _squeeze(lines: list[str]) -> Iterator[str]:
    """Yield the lines with no two empty ones in a row."""
    for previous, line in zip(["", *lines], lines, strict=False):
        if previous or line:
            yield line
