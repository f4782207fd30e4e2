"""The page's section on numerical agreement."""

from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.comparison.environment import find_origins
from training.comparison.rendering.plots import name_panel, new_panels
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import MUTED, STYLE
from training.reporting.markdown_tables import prose, scientific, table

# Lines of two pairs that share a framework may coincide: the later ones are dashed.
_PAIR_STYLES = (("#0072b2", "solid"), ("#d55e00", "solid"), ("#009e73", (0, (4, 3))))
_FLOOR = 1e-9  # y value at which a difference of exactly 0 is drawn


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["agreement"]
    pairs, nudged = section["losses"]["pairs"], section["losses"]["nudged"]
    steps = section["settings"]["steps"]
    loss_rows = [
        [_pair(pair["of"]), *(f"{scientific(max(pair['relative'][:step]))}" for step in steps)] for pair in pairs
    ] + [
        [
            f"{FRAMEWORKS[framework].title} and itself, nudged",
            *(f"{scientific(max(relative[:step]))}" for step in steps),
        ]
        for framework, relative in nudged.items()
    ]
    return [
        *prose("""The loss of each step, from the same weights, on the same batches and with the same noise, by Adam
            from a rate of 1e-3 without warm-up. *Nudged*: the same framework, from weights that are each larger by one
            unit in the last place, the least change possible; it shows to what rounding alone grows. Largest relative
            difference of a loss up to a step:"""),
        *table(["", *(f"{step:,}" for step in steps)], loss_rows),
        *_layers(section),
        *prose(f"""Each framework with each other's weights: largest difference of a logit from the one that NumPy
            computes in float64, over {section["settings"]["probe_images"]} test images. A row has the weights of one
            checkpoint{_commit(section)}, a column the framework that loaded them:"""),
        *table(
            ["trained with", *(f"loaded by {FRAMEWORKS[name].title}" for name in section["frameworks"])],
            [
                [FRAMEWORKS[trained].title, *(scientific(row[name]) for name in section["frameworks"])]
                for trained, row in section["logits"].items()
            ],
        ),
    ]


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw the losses' differences step by step, and the layers'."""
    section = content["sections"]["agreement"]
    figure, (left, right) = new_panels(
        "Agreement from the same start",
        "differences between frameworks given the same weights, batches and noise; gray: each framework and itself "
        "from weights changed by one unit in the last place; no difference at all is drawn at 1e-9",
        (1.15, 1),
        4.4,
    )
    figure.subplots_adjust(bottom=0.22, wspace=0.26)
    with rc_context(STYLE):
        for place, relative in enumerate(section["losses"]["nudged"].values()):
            label = None if place else "nudged by rounding"
            left.plot(range(1, len(relative) + 1), _running(relative), color="#9a9a9a", linewidth=1.2, label=label)
        for pair, (color, dashes) in zip(section["losses"]["pairs"], _PAIR_STYLES, strict=False):
            values = _running(pair["relative"])
            style: dict[str, Any] = {"color": color, "linestyle": dashes, "linewidth": 1.6}
            left.plot(range(1, len(values) + 1), values, label=_pair(pair["of"]), **style)
        left.set_xscale("log")
        left.set_yscale("log")
        left.legend(loc="upper left", fontsize=8.5)
        name_panel(left, "loss: largest relative difference so far", "step", "relative difference")
        layers = list(dict.fromkeys(entry["layer"] for entry in section["layers"]))
        shades = ("#c6dbef", "#6baed6", "#2171b5", "#08306b")
        steps = list(dict.fromkeys(entry["steps"] for entry in section["layers"]))
        for step, shade in zip(steps[-len(shades) :], shades[-len(steps) :], strict=True):
            ys = [
                max(max(entry["differences"].values(), default=0) / entry["largest_value"], _FLOOR)
                for entry in section["layers"]
                if entry["steps"] == step
            ]
            right.plot(range(len(layers)), ys, color=shade, marker="o", markersize=5, linewidth=1.2)
            right.annotate(
                _steps(step),
                (len(layers) - 1, ys[-1]),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                size=8.5,
            )
        right.set_yscale("log")
        right.set_xticks(range(len(layers)), layers, rotation=35, ha="right", rotation_mode="anchor")
        right.margins(x=0.08)
        right.set_xlim(right=len(layers) - 1 + 1.5)
        right.axhline(1.2e-7, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
        right.set_ylim(bottom=3e-8)
        right.text(-0.2, 1.0e-7, "precision of float32", size=8, color=MUTED, va="top")
        name_panel(right, "layers: largest difference over largest value", "", "")
    return figure


def _layers(section: Mapping[str, Any]) -> list[str]:
    steps = list(dict.fromkeys(entry["steps"] for entry in section["layers"]))
    by_layer: dict[str, list[str]] = {}
    for entry in section["layers"]:
        worst = max(entry["differences"].values(), default=0.0)
        by_layer.setdefault(entry["layer"], []).append(f"{scientific(worst)} ({entry['largest_value']:.3g})")
    return [
        *prose("""The outputs of each layer for the same test images, at the start and after some steps, each framework
            then with the weights that it has trained itself: largest difference between any two frameworks, and in
            brackets the largest value. A single output of a single image decides such a figure, which is why it can be
            far larger than the difference of the losses:"""),
        *table(["", *map(_steps, steps)], [[f"`{layer}`", *cells] for layer, cells in by_layer.items()]),
    ]


def _commit(section: Mapping[str, Any]) -> str:
    """Return the commit of the checkpoints, which may have been trained again since."""
    commits = dict.fromkeys(str(origin["commit"])[:10] for _, origin in find_origins(section))
    return f", as of commit {' and '.join(f'`{commit}`' for commit in commits)}" if commits else ""


def _steps(step: int) -> str:
    return count_of(step, "step", ",") if step else "at the start"


def _pair(names: list[str]) -> str:
    return " and ".join(FRAMEWORKS[name].title for name in names)


def _running(values: list[float]) -> list[float]:
    largest, maxima = _FLOOR, []
    for value in values:
        largest = max(largest, value)
        maxima.append(largest)
    return maxima
