"""Draw docs/images/mistakes.png: what each of the usual mistakes costs, from docs/mistakes.json.

python docs/scripts/mistakes_figure.py
"""

import json
from pathlib import Path
from statistics import fmean
from typing import Final

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.reporting.figures.style import MUTED, STYLE, TRAIN, VALIDATION, new_figure, save

DOCS: Final = Path(__file__).parents[1]

RIGHT: Final = "the right way"
FARTHEST: Final = 300  # nats; what is NaN stands beyond


def main() -> None:
    """Draw the picture."""
    record = json.loads((DOCS / "mistakes.json").read_text(encoding="utf-8"))
    path = DOCS / "images" / "mistakes.png"
    save(draw(record), path)
    print(path)


def draw(record: dict) -> Figure:
    """Return a dot for each run of a mistake: nats that its test -ELBO is above the right way's with the same seed."""
    runs = record["runs"]
    right = {seed: run["test"]["elbo"] for seed, run in runs[RIGHT]["seeds"].items()}
    luck = [fmean(right.values()) - elbo for elbo in right.values()]
    mistakes = {name: mistake["seeds"] for name, mistake in runs.items() if mistake["topic"]}
    width, height = 10.0, 1.6 + 0.27 * len(mistakes)
    with rc_context(STYLE):
        figure, top = new_figure(
            width,
            height,
            title="What the usual mistakes cost",
            subtitle=f"Nats above the test -ELBO of the right way with the same seed, after {record['epochs']} epochs: "
            f"a dot for each seed. Shaded: the right way's {len(luck)} seeds around their mean. "
            "The axis is linear from -1 to 1, logarithmic beyond.",
        )
        axes = figure.subplots()
        figure.subplots_adjust(
            left=4.1 / width, right=1 - 0.3 / width, top=1 - (top + 0.05) / height, bottom=0.55 / height
        )
        axes.axvspan(min(luck), max(luck), color=TRAIN, alpha=0.15, linewidth=0)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for row, seeds in enumerate(mistakes.values()):
            costs = [right[seed] - run["test"]["elbo"] for seed, run in seeds.items() if run["test"] is not None]
            axes.plot(costs, [row] * len(costs), linestyle="none", marker="o", markersize=6, color=VALIDATION)
            if len(costs) < len(seeds):
                axes.text(FARTHEST, row, "NaN", color=VALIDATION, ha="right", va="center", weight="bold")
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(-3, FARTHEST)
        axes.set_xticks([-1, 0, 1, 10, 100], ["\N{MINUS SIGN}1", "0", "1", "10", "100"])
        axes.set_yticks(range(len(mistakes)), [name.replace("`", "") for name in mistakes])
        axes.set_ylim(len(mistakes) - 0.4, -0.6)
        axes.set_xlabel("nats per image")
    return figure


if __name__ == "__main__":
    main()
