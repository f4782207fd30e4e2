"""The page's section on model quality."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from training.comparison.model_quality.differences import CONFIDENCE, paired_differences
from training.comparison.model_quality.summary import curves_of, epochs_of, measured_runs
from training.comparison.rendering.plots import name_panel, new_panels
from training.comparison.training_speed.summary import own_speed
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.figures.style import MUTED, STYLE
from training.reporting.markdown_tables import mean_spread, prose, table

_SETTLED = 0.12  # share of early epochs that may lie outside the plot


def write(content: Mapping[str, Any]) -> list[str]:
    """Return the section's lines."""
    section = content["sections"]["quality"]
    settings = section["settings"]
    epochs = epochs_of(settings)
    images = count_of(settings["test_images"], "test image", ",")
    rows = []
    for framework, seeds in measured_runs(section).items():
        runs = list(seeds.values())
        errors = [run["elbo"]["standard_error"] for run in runs]
        rows.append(
            [
                FRAMEWORKS[framework].title,
                str(len(runs)),
                *(
                    mean_spread([sign * run[name]["value"] for run in runs])
                    for name, sign in (("elbo", -1), ("iwae", -1), ("log_likelihood", -1), ("kl_divergence", 1))
                ),
                f"{max(errors):.2f}",
                _write_active_units([run["active_units"] for run in runs]),
            ]
        )
    return [
        *prose(f"""Preset `{settings["preset"]}`, {count_of(epochs, "epoch")}; {images} of MNIST,
            target `fixed`; ELBO with {count_of(settings["draws"], "draw")} an image, importance-weighted bound with
            {count_of(settings["samples"], "sample")}. Mean over seeds ± the standard deviation between them; in a
            column of its own the standard error over test images, which all runs share. All in nats per image, of each
            run's best validation epoch."""),
        *table(
            [
                "",
                "seeds",
                "-ELBO",
                f"-L{settings['samples']}, upper bound of -log p(x)",
                "-log-likelihood",
                "KL",
                "standard error of -ELBO over images",
                "active units",
            ],
            rows,
        ),
        *_write_differences(section),
        *prose("""The curves over seconds are of the same runs; their seconds are computed from the training section:
            compilation, and epochs times the median epoch, each trainer in its own way."""),
    ]


def _write_differences(section: Mapping[str, Any]) -> list[str]:
    differences = paired_differences(section)
    if not differences:
        return []
    rows = [
        [
            f"{FRAMEWORKS[difference.of[0]].title} minus {FRAMEWORKS[difference.of[1]].title}",
            str(difference.seeds),
            f"{difference.mean:+.3f}",
            _interval(difference.mean, difference.half_width),
            "no" if difference.is_apart_from_zero else "yes",
            _interval(difference.mean, difference.joint_half_width),
            "no" if difference.is_jointly_apart_from_zero else "yes",
        ]
        for difference in differences
    ]
    return [
        *prose(f"""**Do the frameworks differ?** Differences of -ELBO between two frameworks, paired by seed, in nats,
            with the {CONFIDENCE:.0%} interval of Student's t over seeds. Of several intervals one misses 0 more often
            by luck, so the joint intervals are wider, by Bonferroni: all of them hold together with {CONFIDENCE:.0%}.
            An interval without 0 says that the trainers differ, in initial weights, noise, pixels or arithmetic; which
            of these it is, it doesn't say:"""),
        *table(
            [
                "-ELBO",
                "seeds",
                "mean difference",
                f"{CONFIDENCE:.0%} interval",
                "contains 0",
                f"joint {CONFIDENCE:.0%} interval",
                "contains 0",
            ],
            rows,
        ),
    ]


def _interval(mean: float, half_width: float) -> str:
    return f"{mean - half_width:+.3f} to {mean + half_width:+.3f}"


def _write_active_units(counts: Sequence[int]) -> str:
    """Return the number of active units if all runs have the same, and that of each run otherwise."""
    return str(counts[0]) if len(set(counts)) == 1 else ", ".join(map(str, counts))


def draw(content: Mapping[str, Any]) -> Figure:
    """Draw -ELBO over epochs and over seconds, as the mean and the range of the seeds."""
    runs_by_framework = measured_runs(content["sections"]["quality"])
    figure, (left, right) = new_panels(
        "Learning curves",
        "-ELBO on the validation images, target fixed, in nats per image: mean of the seeds, and shaded their range; "
        "seconds are compiling plus epochs times the median epoch of the training section",
    )
    values: list[float] = []
    with rc_context(STYLE):
        for framework, runs in runs_by_framework.items():
            curves = np.array(curves_of(runs))
            values += curves[:, int(curves.shape[1] * _SETTLED) :].flat
            epochs = range(1, curves.shape[1] + 1)
            label = f"{FRAMEWORKS[framework].title}, {FRAMEWORKS[framework].own_mode}"
            _draw_curves(left, epochs, curves, framework, label=label)
            if (speed := own_speed(content, framework)) is not None:
                _draw_curves(right, [speed.run_seconds(epoch) for epoch in epochs], curves, framework)
        for axes in (left, right):
            _fit(axes, values)
        if not right.lines:
            right.text(0.5, 0.5, "no training speeds measured yet", transform=right.transAxes, ha="center", color=MUTED)
        left.legend(loc="upper right")
        name_panel(left, "over epochs", "epoch", "-ELBO (nats per image)")
        name_panel(right, "over seconds", "seconds of training", "")
        left.set_xlim(left=0)
        right.set_xlim(left=0)
    return figure


def _draw_curves(
    axes: Axes, xs: Sequence[float], curves: Float64[ndarray, "seeds epochs"], framework: str, label: str | None = None
) -> None:
    color = FRAMEWORKS[framework].color
    marks: dict[str, Any] = {"marker": "o", "markersize": 3} if len(xs) < 5 else {}
    axes.fill_between(xs, curves.min(axis=0), curves.max(axis=0), color=color, alpha=0.2, linewidth=0)
    axes.plot(xs, curves.mean(axis=0), label=label, color=color, linewidth=1.4, **marks)


def _fit(axes: Axes, values: list[float]) -> None:
    margin = max(0.06 * (max(values) - min(values)), 0.1)
    axes.set_ylim(min(values) - margin, max(values) + margin)
