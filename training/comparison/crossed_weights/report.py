"""The page's section on whole runs from each other's initial weights."""

from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.comparison.crossed_weights.summary import largest_differences
from training.comparison.model_quality.summary import epochs_of
from training.comparison.rendering.plots import name_panel, new_panels
from training.comparison.results_file import measured_frameworks
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import MUTED, STYLE
from training.reporting.markdown_tables import prose, table


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["cross"]
    settings = section["settings"]
    entries = measured_frameworks(section)
    rows = [
        [f"of {FRAMEWORKS[source].title}", *(_loss(entry["weights_of"][source]) for entry in entries.values())]
        for source in settings["weights_of"]
    ]
    rows += [
        [f"its own, nudged {direction}", *(_loss(entry["nudged"][direction]) for entry in entries.values())]
        for direction in ("up", "down")
    ]
    return [
        *prose(f"""Runs of {count_of(epochs_of(settings), "epoch")} (preset `{settings["preset"]}`) in which nothing
            differs but the framework: a row has the same initial weights, drawn by the named framework for seed 0, and
            all runs have the same batches, pixels and noise, drawn by NumPy. *Nudged*: from weights that are each one
            unit in the last place larger or smaller. -ELBO of {count_of(settings["test_images"], "test image", ",")},
            target `fixed`, {count_of(settings["draws"], "draw")}, of the weights after the last step, without a moving
            average:"""),
        *table(["initial weights", *(f"trained in {FRAMEWORKS[name].title}" for name in entries)], rows),
        *_write_causes(section),
    ]


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw -ELBO by initial weights, a mark for each framework that trained."""
    section = content["sections"]["cross"]
    entries = measured_frameworks(section)
    sources = section["settings"]["weights_of"]
    figure, (axes,) = new_panels(
        "The same initial weights, batches and noise, in each framework",
        "-ELBO on the test images after the last step, in nats; small gray marks: the same framework from its own "
        "weights changed by one unit in the last place",
        (1,),
        3.6,
    )
    with rc_context(STYLE):
        for place, (name, entry) in enumerate(entries.items()):
            look = FRAMEWORKS[name]
            shift = (place - (len(entries) - 1) / 2) * 0.12
            values = [-entry["weights_of"][source]["elbo"] for source in sources]
            places = [x + shift for x in range(len(sources))]
            style: dict[str, Any] = {"linestyle": "none", "marker": look.marker}
            axes.plot(places, values, color=look.color, markersize=8, label=look.title, **style)
            nudged = [-run["elbo"] for run in entry["nudged"].values()]
            own = places[sources.index(name)]
            axes.plot([own] * len(nudged), nudged, color=MUTED, markersize=4, markerfacecolor="none", **style)
        axes.set_xticks(range(len(sources)), [f"weights of {FRAMEWORKS[name].title}" for name in sources])
        axes.margins(x=0.2, y=0.2)
        axes.legend(loc="upper right", bbox_to_anchor=(1, 1.18), ncols=len(entries))
        name_panel(axes, "", "", "-ELBO (nats per image)")
    return figure


def _write_causes(section: Mapping[str, Any]) -> list[str]:
    largest = largest_differences(section)
    if largest is None:
        return []
    moved = {
        name: max(abs(run["elbo"] - entry["weights_of"][name]["elbo"]) for run in entry["nudged"].values())
        for name, entry in measured_frameworks(section).items()
    }
    rounding = ", ".join(f"{FRAMEWORKS[name].title} by up to {nats:.3f}" for name, nats in moved.items())
    is_rounding = largest.frameworks <= largest.rounding
    verdict = "of the size of rounding" if is_rounding else "larger than these nudges move one of them"
    return prose(f"""Largest difference between two frameworks from the same weights: {largest.frameworks:.3f} nats.
        Rounding alone moved {rounding}, with one seed and two nudges each: the differences are {verdict}. Between two
        initial weights in one framework: {largest.weights:.3f}.""")


def _loss(run: Mapping[str, Any]) -> str:
    return f"{-run['elbo']:.3f}"
