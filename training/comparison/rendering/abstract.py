"""The abstract at the head of the page: method, three findings and their limits, from the results."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from training.comparison.agreement.section import LOSS_LIMIT, PARITY_STEPS
from training.comparison.crossed_weights.summary import largest_differences
from training.comparison.environment import stale_frameworks
from training.comparison.model_quality.differences import CONFIDENCE, Difference, paired_differences
from training.comparison.model_quality.summary import epochs_of, measured_runs
from training.comparison.training_speed.summary import Speed, own_speed
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import mean_spread, prose, scientific, spread

_MANY_SEEDS: Final = 10
"""Seeds of each framework from which a difference between means says more than luck."""


def write_abstract(content: Mapping[str, Any]) -> list[str]:
    """Return the lines of the abstract; a finding that wasn't measured says so."""
    findings = (_write_agreement(content), _write_speed(content), _write_quality(content))
    return [
        "## Abstract",
        "",
        *prose(_write_stale(content)),
        *prose("""**Method.** One variational autoencoder of MNIST is written in JAX, TensorFlow and PyTorch with the
            same architecture, loss, recipe and data. Nothing is timed unless their losses agree from the same weights,
            batches and noise. Timings are taken in fresh processes, with compilation apart. Quality is measured on test
            images, which chose neither recipe nor epoch, and is the mean of several seeds."""),
        "",
        *(line for number, finding in enumerate(findings, 1) for line in (*prose(f"{number}. {finding}"), "")),
        *prose("""**Limits.** One machine and one small model on it: the figures are about what an operation costs in
            each framework more than about large models. What each way of running compiles differs, and initial
            weights, noise and drawn pixels of the training runs are each framework's own ([the
            rules](#the-rules))."""),
        "",
    ]


def _write_agreement(content: Mapping[str, Any]) -> str:
    section = content["sections"].get("agreement")
    if section is None:
        return "**Do they compute the same?** Not measured yet."
    first, last = PARITY_STEPS, max(section["settings"]["steps"])
    pairs = [pair["relative"] for pair in section["losses"]["pairs"]]
    nudged = section["losses"]["nudged"]
    if not pairs:
        return "**Do they compute the same?** Only one framework was measured."
    within = _largest(pairs, first) <= LOSS_LIMIT
    verdict = "Their losses agree within the limit" if within else "Their losses don't agree within the limit"
    rounding = ", ".join(
        f"{FRAMEWORKS[name].title} {scientific(max(relative[:first]))}" for name, relative in nudged.items()
    )
    return (
        f"**{verdict}.** Over the first {first} steps the losses of two frameworks differ by at most "
        f"{scientific(_largest(pairs, first))}, relative (the limit is {LOSS_LIMIT:g}). For comparison, those of one "
        f"framework whose weights start one unit in the last place away: {rounding}. *Limit:* "
        f"rounding grows: over {last:,} steps the largest are {scientific(_largest(pairs, last))} and "
        f"{scientific(_largest(nudged.values(), last))}, so agreement says nothing about where a whole run ends."
    )


def _largest(runs: Iterable[Sequence[float]], steps: int) -> float:
    return max(max(relative[:steps]) for relative in runs)


def _write_speed(content: Mapping[str, Any]) -> str:
    speeds = {framework: speed for framework in FRAMEWORKS if (speed := own_speed(content, framework)) is not None}
    if not speeds:
        return "**Which trains fastest?** Not measured yet."
    listing = "; ".join(
        f"{FRAMEWORKS[name].title} {spread(speed.epoch_seconds)}{_write_part(speed)}" for name, speed in speeds.items()
    )
    latest_least = max(min(speed.epoch_seconds) for speed in speeds.values())
    earliest_most = min(max(speed.epoch_seconds) for speed in speeds.values())
    verdict = "The ranges overlap" if latest_least <= earliest_most else "The ranges don't all overlap"
    return (
        f"**Seconds per epoch**, each trainer in its own way, median and range: {listing}. {verdict}. "
        f"*Limit:* {_write_processes(content, speeds)}"
    )


def _write_processes(content: Mapping[str, Any], speeds: Mapping[str, Speed]) -> str:
    """Return how many timings there are, and what they don't establish."""
    entries = content["sections"]["training"]["frameworks"]
    processes = [entries[framework]["modes"][FRAMEWORKS[framework].own_mode] for framework in speeds]
    count, epochs = len(processes[0]), len(processes[0][0]["seconds"])
    counts = (
        f"{count} process{'' if count == 1 else 'es'} of each on one machine, with {count_of(epochs, 'epoch')} each."
    )
    within = max(_excess([statistics.median(each["seconds"]) for each in of_one]) for of_one in processes)
    between = _excess([statistics.median(speed.epoch_seconds) for speed in speeds.values()])
    if within <= between:
        return f"{counts} Another day, version or processor may order them otherwise, above all where ranges overlap."
    return (
        f"{counts} The medians of one framework's processes differ by up to {within:.0%}, those of the frameworks by "
        f"{between:.0%}: no order is established."
    )


def _excess(values: Sequence[float]) -> float:
    """Return by which share the largest exceeds the least."""
    return max(values) / min(values) - 1


def _write_part(speed: Speed) -> str:
    return f", from {speed.part:.0%} of an epoch" if speed.part < 1 else ""


def _write_quality(content: Mapping[str, Any]) -> str:
    section = content["sections"].get("quality", {})
    runs = measured_runs(section) if "frameworks" in section else {}
    if not runs:
        return "**Which ends better?** Not measured yet."
    settings = section["settings"]
    values = {name: [-run["elbo"]["value"] for run in seeds.values()] for name, seeds in runs.items()}
    listing = ", ".join(f"{FRAMEWORKS[name].title} {mean_spread(losses)}" for name, losses in values.items())
    means = [statistics.fmean(losses) for losses in values.values()]
    seeds = min(map(len, values.values()))
    limit = f"{count_of(seeds, 'seed')} of each"
    if seeds < _MANY_SEEDS:
        limit += " can't tell a difference of this size from luck"
    if _write_causes(content):
        limit += "; the runs from the same weights have one"
    epochs = epochs_of(settings)
    return (
        f"**Test -ELBO after {count_of(epochs, 'epoch')}**, in nats, mean of "
        f"seeds ± their standard deviation: {listing}; the means differ by at most {max(means) - min(means):.2f}. "
        f"{_write_differences(section)}{_write_causes(content)}*Limit:* {limit}."
    )


def _write_differences(section: Mapping[str, Any]) -> str:
    differences = paired_differences(section)
    if not differences or min(difference.seeds for difference in differences) < _MANY_SEEDS:
        return ""
    if joint := [difference for difference in differences if difference.is_jointly_apart_from_zero]:
        return f"Paired by seed, 0 lies outside the joint {CONFIDENCE:.0%} interval of {_name_pairs(joint)}. "
    if alone := [difference for difference in differences if difference.is_apart_from_zero]:
        return (
            f"Of the {len(differences)} differences, paired by seed and taken one by one, only "
            f"{_name_pairs(alone, ' and ')} {'has' if len(alone) == 1 else 'have'} a {CONFIDENCE:.0%} interval without "
            f"0. Corrected for {len(differences)} comparisons, none has: no difference is established. "
        )
    return f"Paired by seed, 0 lies within the {CONFIDENCE:.0%} interval of each difference. "


def _name_pairs(differences: Iterable[Difference], joined_by: str = " and of ") -> str:
    pairs = [" minus ".join(FRAMEWORKS[name].title for name in difference.of) for difference in differences]
    return joined_by.join(pairs)


def _write_causes(content: Mapping[str, Any]) -> str:
    section = content["sections"].get("cross")
    largest = largest_differences(section) if section else None
    if largest is None:
        return ""
    return (
        f"From the same weights, batches and noise, two frameworks end at most {largest.frameworks:.3f} apart; one "
        f"framework and itself, nudged by rounding, {largest.rounding:.3f}; two initial weights in one framework, "
        f"{largest.weights:.3f}. "
    )


def _write_stale(content: Mapping[str, Any]) -> str:
    stale = [name for name, section in content["sections"].items() if stale_frameworks(section)]
    if not stale:
        return ""
    return f"**Measured before the trainers' code last changed ([origin](#origin)): {', '.join(stale)}.**"
