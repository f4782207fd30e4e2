"""The figure of learning curves: ELBO and KL of each epoch, over epochs and over seconds."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.reporting.epoch_records import Record
from training.reporting.figures.style import STYLE, TRAIN, VALIDATION, new_figure

_FEW = 30  # up to so many epochs, each is a dot
_UNSETTLED = 0.05  # share of early epochs that may lie outside the plot


def draw_learning_curves(records: Sequence[Record], *, title: str, subtitle: str) -> Figure:
    """Draw the curves of at least one epoch; duplicates left by a resumed run are replaced by the last."""
    by_epoch = {int(record["epoch"]): record for record in records}
    epochs = sorted(by_epoch)
    ordered = [by_epoch[epoch] for epoch in epochs]
    sides: tuple[Sequence[float], ...] = (epochs, list(accumulate(record["seconds"] for record in ordered)))
    width, height = 10.0, 6.6
    with rc_context(STYLE):
        figure, top = new_figure(width, height, title=title, subtitle=subtitle)
        axes = figure.subplots(2, 2, sharex="col", sharey="row")
        figure.subplots_adjust(
            left=0.85 / width,
            right=1 - 0.3 / width,
            top=1 - (top + 0.1) / height,
            bottom=0.6 / height,
            wspace=0.07,
            hspace=0.1,
        )
        for row, quantity in enumerate(("elbo", "kl_divergence")):
            for column, xs in enumerate(sides):
                _draw(axes[row, column], xs, ordered, quantity)
        _fit(axes[0, 0], ordered)
        _mark_best(axes[0, 0], epochs, ordered)
        axes[0, 0].set_ylabel("ELBO (nats per image)")
        axes[1, 0].set_ylabel("KL (nats per image)")
        axes[1, 0].set_xlabel("epoch")
        axes[1, 0].xaxis.get_major_locator().set_params(integer=True)
        axes[1, 1].set_xlim(left=0)
        axes[1, 1].set_xlabel("seconds of training, validation not counted")
        axes[0, 1].legend(loc="lower right")
        figure.align_ylabels(axes[:, 0])
    return figure


def _draw(axes: Axes, xs: Sequence[float], records: Sequence[Record], quantity: str) -> None:
    style: dict[str, Any] = {"marker": "o", "markersize": 4} if len(xs) <= _FEW else {}
    for part, color in (("train", TRAIN), ("validation", VALIDATION)):
        ys = [record[f"{part}_{quantity}"] for record in records]
        axes.plot(xs, ys, color=color, linewidth=1.6, label=part, **style)


def _fit(axes: Axes, records: Sequence[Record]) -> None:
    """Exclude the first epochs from the y range, beside which the rest would be a flat line."""
    settled = records[math.floor(len(records) * _UNSETTLED) :]
    values = [record[f"{part}_elbo"] for record in settled for part in ("train", "validation")]
    margin = max(0.06 * (max(values) - min(values)), 0.1)
    axes.set_ylim(min(values) - margin, max(values) + margin)


def _mark_best(axes: Axes, epochs: Sequence[int], records: Sequence[Record]) -> None:
    best, record = max(zip(epochs, records, strict=True), key=lambda pair: pair[1]["validation_elbo"])
    elbo = record["validation_elbo"]
    axes.plot([best], [elbo], marker="o", markersize=6.5, color=VALIDATION, markeredgecolor="white", zorder=5)
    axes.text(
        0.97,
        0.06,
        f"best validation: {elbo:.2f}, epoch {best}".replace("-", "\N{MINUS SIGN}"),
        transform=axes.transAxes,
        ha="right",
        color=VALIDATION,
    )
