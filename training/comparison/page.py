"""The page: renders `comparison.json` as text, tables and plots. Measures nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from training.checkpoints.safetensors_file import replace_file
from training.comparison.agreement import report as agreement
from training.comparison.code_size import report as code
from training.comparison.config import SECTIONS
from training.comparison.crossed_weights import report as cross
from training.comparison.environment import stale_frameworks
from training.comparison.inference_speed import report as inference
from training.comparison.model_quality import report as quality
from training.comparison.rendering.abstract import write_abstract
from training.comparison.rendering.rules import write_origins, write_rules
from training.comparison.rendering.summary import write_summary
from training.comparison.training_speed import report as training
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import save
from training.reporting.markdown_tables import prose

TITLES: Final = {
    "code": "Code",
    "training": "Training",
    "quality": "Quality",
    "cross": "Crossed initial weights",
    "agreement": "Agreement",
    "inference": "Inference",
}
"""The sections, in the order of the page."""

_WRITERS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "code": code.write,
    "training": training.write,
    "quality": quality.write,
    "cross": cross.write,
    "agreement": agreement.write,
    "inference": inference.write,
}

_PLOTS: Final[Mapping[str, Mapping[str, Callable[[Mapping[str, Any]], Figure]]]] = {
    "code": {"code": code.draw},
    "training": {"training": training.draw},
    "quality": {"quality": quality.draw},
    "cross": {"cross": cross.draw},
    "agreement": {"agreement": agreement.draw},
    "inference": {"inference": inference.draw},
}


def write_page(folder: Path, content: Mapping[str, Any]) -> Iterator[Path]:
    """Write README.md, the plots and, where code was compared, `code.md`; yield the path of each written file.

    Raises:
        CheckpointError: A file can't be written.
    """
    assert set(TITLES) == set(SECTIONS), "every section has its place on the page"
    sections = content["sections"]
    lines = ["# The three frameworks, compared", ""]
    if content["smoke"]:
        lines += ["**Measured with `--smoke`: the figures say nothing.**", ""]
    lines += [
        *prose("""One variational autoencoder, written three times. `python -m training compare` writes this page, its
            plots and its figures ([comparison.json](comparison.json),
            [its fields](../reference/comparison-json.md)). `--sections` and `--frameworks` measure a part, and leave
            the rest as it is; after an interruption `--resume` goes on."""),
        "",
        *write_abstract(content),
        "## Origin",
        "",
        *write_origins(content),
        *_warn_of_stale(sections),
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
        if stale := stale_frameworks(sections[name]):
            lines += prose(f"""**Stale:** measured with other code of {_titles(stale)} than this page was written
                with; what the page says of this code need not hold for these figures.""")
        lines += _WRITERS[name](content)
    if "code" in sections:
        path = folder / "code.md"
        replace_file(path, "\n".join(code.write_differences(content)).encode())
        yield path
    path = folder / "README.md"
    replace_file(path, ("\n".join(_squeeze(lines)).rstrip() + "\n").encode())
    yield path


def _warn_of_stale(sections: Mapping[str, Any]) -> list[str]:
    """Return a warning that names the sections measured with other trainers, and how to measure them again."""
    stale = [name for name in SECTIONS if name in sections and stale_frameworks(sections[name])]
    if not stale:
        return []
    return [
        *prose(f"""**Stale sections: {", ".join(stale)}.** The code in `training/*_vae` has changed since they were
            measured, or wasn't recorded, so this code may have other figures. To measure them again:
            `python -m training compare --sections {",".join(stale)}`."""),
        "",
    ]


def _titles(frameworks: Iterable[str]) -> str:
    return ", ".join(FRAMEWORKS[framework].title for framework in frameworks)


def _squeeze(lines: list[str]) -> Iterator[str]:
    """Yield the lines with no two empty ones in a row."""
    for previous, line in zip(["", *lines], lines, strict=False):
        if previous or line:
            yield line
