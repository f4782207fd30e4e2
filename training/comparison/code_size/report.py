"""The page's section on the code, and the page of differences, `code.md`."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.comparison.rendering.plots import name_panel, new_panels
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import STYLE
from training.reporting.markdown_tables import prose, table
from training.source_alignment import align_twins, read_twins


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["code"]
    frameworks, files = section["frameworks"], section["files"]
    rows = [
        [
            f"`{name}`",
            *(
                f"{file['frameworks'][framework][key]:,}"
                for key in ("code_lines", "tokens")
                for framework in frameworks
            ),
            f"{file['same_lines']} of {file['aligned_lines']}",
        ]
        for name, file in files.items()
    ]
    totals = [
        f"**{sum(file['frameworks'][framework][key] for file in files.values()):,}**"
        for key in ("code_lines", "tokens")
        for framework in frameworks
    ]
    same = sum(file["same_lines"] for file in files.values())
    rows.append(["all", *totals, f"{same} of {sum(file['aligned_lines'] for file in files.values())}"])
    headers = [f"{what}: {FRAMEWORKS[framework].title}" for what in ("lines", "tokens") for framework in frameworks]
    return [
        *prose("""Lines and tokens as Python's `tokenize` has them, without comments, docstrings, blank lines and
            indentation. The last column counts lines of the files laid side by side, these included: those that
            are identical in all, of all. A file that one framework alone has counts as empty for the others; what
            only this comparison needs (`training/comparison/backends`) isn't counted."""),
        *prose("""These are sizes of this project's code, not of what a framework needs: part of it is there for speed
            or for several devices. `model.py` and `losses.py` are the model. `weights.py` reads and writes the common
            checkpoints (PyTorch's kernels are transposed), `sampling.py` draws pixels from fewer random bits,
            `adam.py` is the Adam of the other two for Keras, `cuda_graph.py` records PyTorch's step on a GPU, and
            `data_parallel.py` trains on several devices."""),
        *table(["file", *headers, "same lines"], rows),
        "Every definition that differs, side by side: [code.md](code.md).",
        "",
    ]


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw the tokens of each file."""
    section = content["sections"]["code"]
    files = list(section["files"])
    figure, (axes,) = new_panels(
        "Tokens of each twin file", "without comments, docstrings and indentation, by Python's tokenize", (1,), 3.6
    )
    width = 0.8 / len(section["frameworks"])
    with rc_context(STYLE):
        for place, framework in enumerate(section["frameworks"]):
            tokens = [section["files"][file]["frameworks"][framework]["tokens"] for file in files]
            xs = [x + (place - (len(section["frameworks"]) - 1) / 2) * width for x in range(len(files))]
            bars = axes.bar(
                xs, tokens, width * 0.92, color=FRAMEWORKS[framework].color, label=FRAMEWORKS[framework].title
            )
            axes.bar_label(bars, fmt="{:,.0f}", fontsize=8, padding=1)
        axes.set_xticks(range(len(files)), files)
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left")
        name_panel(axes, "", "", "tokens")
    return figure


def write_differences(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a page with every definition that differs between the frameworks, aligned."""
    section = content["sections"]["code"]
    frameworks: Sequence[str] = section["frameworks"]
    yield from ("# The code, side by side", "")
    yield "Every definition of the twin files that differs between the frameworks; lines marked `*` differ."
    yield "Written by `python -m training compare --sections code`; back to [the comparison](README.md)."
    for file in section["files"]:
        yield from ("", f"## `{file}`", "")
        for row in align_twins(read_twins(file, frameworks)):
            if row["same"] or row["kind"] in {"docstring", "imports"}:
                continue
            yield f"<details><summary><code>{html.escape(row['id'])}</code></summary>"
            yield (
                "<table><tr>"
                + "".join(f"<th>{FRAMEWORKS[framework].title}</th>" for framework in frameworks)
                + "</tr><tr>"
            )
            lines = _without_edges(row["lines"])
            for framework in frameworks:
                yield f"<td><pre>{'&#10;'.join(_cell(line, framework) for line in lines)}</pre></td>"
            yield "</tr></table></details>"
            yield ""


def _cell(line: Mapping[str, Any], framework: str) -> str:
    cell = line["cells"][framework]
    text = html.escape(cell["text"]) if cell else ""
    return f"{' ' if line['same'] or not text.strip() else '*'} {text}"


def _without_edges(lines: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the lines without the blank ones at the start."""
    for place, line in enumerate(lines):
        if any(cell and cell["text"].strip() for cell in line["cells"].values()):
            return lines[place:]
    return lines
