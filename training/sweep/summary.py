"""Summary of a sweep: the recipe with the best validation ELBO, as a table and as JSON. Trains and tests nothing."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import RunFolderError
from training.reporting.markdown_tables import mean_spread, table
from training.sweep.study import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSummary:
    """The finished runs of one recipe."""

    recipe: str
    outcomes: Sequence[Outcome]

    @property
    def values(self) -> list[float]:
        """The validation ELBO of each run that has one, in nats."""
        return [outcome.validation_elbo for outcome in self.outcomes if outcome.validation_elbo is not None]

    @property
    def mean(self) -> float | None:
        """Their mean; None if a run diverged, for the mean of the others would flatter the recipe."""
        complete = len(self.values) == len(self.outcomes)
        return statistics.fmean(self.values) if complete and self.outcomes else None

    @property
    def deviation(self) -> float | None:
        """Their standard deviation; None for a single seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


def summarize(outcomes: Sequence[Outcome]) -> list[RecipeSummary]:
    """Return the recipes by falling mean of their validation ELBO, those without one last."""
    names = dict.fromkeys(outcome.cell.recipe for outcome in outcomes)
    summaries = [
        RecipeSummary(recipe=name, outcomes=[outcome for outcome in outcomes if outcome.cell.recipe == name])
        for name in names
    ]
    return sorted(summaries, key=lambda summary: (summary.mean is None, -(summary.mean or 0.0)))


def write_summary(
    folder: Path,
    framework: str,
    summaries: Sequence[RecipeSummary],
    tested: Mapping[int, float],
    origin: Mapping[str, Any],
) -> str:
    """Write `FRAMEWORK.json` and `FRAMEWORK.md` into the folder, and return the table.

    Args:
        folder: The sweep's folder.
        framework: Canonical name.
        summaries: The recipes, the chosen one first.
        tested: Test ELBO of the chosen recipe's runs, by seed; empty if the sweep isn't finished.
        origin: Further JSON values, such as machine and versions.

    Raises:
        RunFolderError: A file can't be written.
    """
    values = {
        **origin,
        "framework": framework,
        "finished": bool(tested),
        "chosen": summaries[0].recipe if tested else None,
        "test_elbo": {str(seed): value for seed, value in tested.items()},
        "recipes": [_to_json(summary) for summary in summaries],
    }
    text = render(framework, summaries, tested)
    for path, content in (
        (folder / f"{framework}.json", json.dumps(values, indent=2) + "\n"),
        (folder / f"{framework}.md", text),
    ):
        try:
            path.write_text(content, encoding="utf-8")
        except OSError as error:
            raise RunFolderError(
                f"{path}: can't be written: {error.strerror}; make it writable, and repeat the command"
            ) from error
    return text


def render(framework: str, summaries: Sequence[RecipeSummary], tested: Mapping[int, float]) -> str:
    """Return the recipes as a Markdown table, with the chosen one's test ELBO below."""
    rows = [
        [
            summary.recipe,
            "diverged" if summary.mean is None else mean_spread([-value for value in summary.values]),
            ", ".join(_describe(outcome) for outcome in summary.outcomes),
            f"{statistics.fmean(outcome.seconds for outcome in summary.outcomes):.0f}",
        ]
        for summary in summaries
    ]
    heads = [f"{framework}: recipe", "validation -ELBO, nats", "each seed (best epoch)", "s a run"]
    text = "\n".join(table(heads, rows)).strip() + "\n"
    if not tested:
        return text
    measured = mean_spread([-value for value in tested.values()])
    return (
        f"{text}\nChosen by validation alone: `{summaries[0].recipe}`. Its test -ELBO is {measured} nats; "
        "no other recipe was measured on the test images.\n"
    )


def _describe(outcome: Outcome) -> str:
    return "diverged" if outcome.validation_elbo is None else f"{-outcome.validation_elbo:.2f} ({outcome.epoch})"


def _to_json(summary: RecipeSummary) -> dict[str, Any]:
    return {
        "recipe": summary.recipe,
        "validation_elbo": summary.mean,
        "standard_deviation": summary.deviation,
        "runs": [
            {
                "seed": outcome.cell.seed,
                "validation_elbo": outcome.validation_elbo,
                "best_epoch": outcome.epoch,
                "seconds": outcome.seconds,
                "reason": outcome.reason,
            }
            for outcome in summary.outcomes
        ],
    }
