"""The figure of images in latent space, in two dimensions, colored by class."""

import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib import color_sequences, patheffects, rc_context
from matplotlib.figure import Figure
from numpy import ndarray

from training.reporting.figures.style import STYLE, new_figure

_COLORS = color_sequences["petroff10"]  # ten colors safe for color-blind readers: Petroff (2021), arXiv:2107.02270
_MARKERS = "osD^vP*X"  # from the eleventh class on, colors repeat with another marker


def draw_latent_map(
    means: Float32[ndarray, "n latent"], labels: UInt8[ndarray, "n"], *, title: str, subtitle: str
) -> Figure:
    """Draw the means of q(z|x) of images, of at least two latent dimensions; more are projected on two."""
    points, xlabel, ylabel = project(means)
    width, height = 8.6, 7.6
    with rc_context(STYLE):
        figure, top = new_figure(width, height, title=title, subtitle=subtitle)
        bottom, left, legend = 0.6, 0.8, 0.9
        axes = figure.add_axes(
            (left / width, bottom / height, 1 - (left + legend) / width, 1 - (top + 0.1 + bottom) / height)
        )
        classes, indices = np.unique(labels, return_inverse=True)
        colors = np.array(_COLORS)[indices % len(_COLORS)]
        for marker in sorted({_marker(index) for index in range(len(classes))}):
            # All classes in one call: otherwise the last class would cover the others.
            chosen = np.array([_marker(index) == marker for index in indices])
            axes.scatter(
                points[chosen, 0], points[chosen, 1], s=9, c=colors[chosen], marker=marker, alpha=0.6, linewidths=0
            )
        for index, label in enumerate(classes):
            axes.annotate(
                str(label),
                tuple(np.median(points[indices == index], axis=0)),
                ha="center",
                va="center",
                size=14,
                weight="bold",
                path_effects=[patheffects.withStroke(linewidth=3, foreground="white")],
            )
            axes.plot([], [], _marker(index), color=_COLORS[index % len(_COLORS)], markersize=6, label=str(label))
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.legend(title="class", loc="upper left", bbox_to_anchor=(1.01, 1), handletextpad=0.2)
    return figure


def project(means: Float32[ndarray, "n latent"]) -> tuple[Float32[ndarray, "n 2"], str, str]:
    """Return points in two dimensions and the axis names: the two latents, or the first principal components."""
    if means.shape[1] == 2:
        return means, "mean of z0", "mean of z1"
    centered = means - means.mean(axis=0)
    _, singular, directions = np.linalg.svd(centered, full_matrices=False)
    # The sign of a direction is arbitrary; with its largest part positive, it is the same on every machine.
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(axis=1)])
    points: Float32[ndarray, "n 2"] = centered @ (directions[:2] * signs[:, None]).T
    shares = singular**2 / max(float((singular**2).sum()), np.finfo(np.float32).tiny)
    first, second = (
        f"{which} principal component of the means ({share:.0%} of their variance)"
        for which, share in zip(("first", "second"), shares[:2], strict=True)
    )
    return points, first, second


def _marker(index: int) -> str:
    return _MARKERS[index // len(_COLORS) % len(_MARKERS)]
