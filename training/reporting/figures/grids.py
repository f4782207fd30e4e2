"""Figures of images in rows and columns: reconstructions, samples, a traversal of the latents."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.reporting.figures.image_grids import Tiles, Traversal, mosaic, row_centers
from training.reporting.figures.style import DPI, MARGIN, MUTED, STYLE, new_figure

_SIDE = 58  # pixels of a tile's longer side, about
_MIN_WIDTH = 6.5  # inches, so that the heading fits
_CHARACTER = 0.078  # inches of a label's character, about


def draw_grid(  # noqa: PLR0913 -- one argument per text on the figure
    tiles: Tiles,
    *,
    title: str,
    subtitle: str,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    xlabel: str = "",
    group: int = 1,
) -> Figure:
    """Draw images from 0 (black) to 1 (white), with a label for each row and column or for none, rows in groups."""
    picture = mosaic(tiles, group=group)
    side = max(tiles.shape[2:])
    # An integer scale for small images, so that they aren't blurred.
    scale = max(_SIDE // side, 1) if side <= 2 * _SIDE else 2 * _SIDE / side
    picture_height, picture_width = (length * scale / DPI for length in picture.shape)
    left = MARGIN + (max(map(len, rows)) * _CHARACTER + 0.1 if rows else 0)
    bottom = MARGIN + 0.2 * bool(columns) + 0.22 * bool(xlabel)
    width = max(left + picture_width + MARGIN, _MIN_WIDTH)
    with rc_context(STYLE):
        _, top = new_figure(width, 1, title=title, subtitle=subtitle)
        height = top + 0.06 + picture_height + bottom
        figure, _ = new_figure(width, height, title=title, subtitle=subtitle)
        axes = figure.add_axes((left / width, bottom / height, picture_width / width, picture_height / height))
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, aspect="auto")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_yticks(row_centers(tiles, group=group) if rows else [], rows)
        axes.set_xticks(row_centers(tiles.transpose(1, 0, 3, 2)) if columns else [], columns)
        axes.tick_params(length=0, pad=5)
        axes.set_xlabel(xlabel, color=MUTED, labelpad=4)
    return figure


def draw_traversal(traversal: Traversal, *, title: str, subtitle: str) -> Figure:
    """Draw a row for each latent dimension, named with its KL."""
    return draw_grid(
        traversal.tiles,
        title=title,
        subtitle=subtitle,
        rows=[
            f"z{dimension}  {nats:.2f} nats"
            for dimension, nats in zip(traversal.dimensions, traversal.kl_divergence, strict=True)
        ],
        columns=[f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") if value else "0" for value in traversal.values],
        xlabel="value in standard deviations of the prior, the others 0",
    )
