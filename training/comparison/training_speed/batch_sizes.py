"""The table of training speed and memory by the images in a step."""

import statistics
from collections.abc import Mapping
from typing import Any

from training.comparison.results_file import measured_frameworks
from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import megabytes, prose, table


def write_batch_sizes(section: Mapping[str, Any]) -> list[str]:
    """Return the table's lines; none if no batch sizes were measured."""
    measured = measured_frameworks(section)
    batches_by_framework = {name: entry["batches"] for name, entry in measured.items() if entry.get("batches")}
    if not batches_by_framework:
        return []
    titles = [FRAMEWORKS[name].title for name in batches_by_framework]
    rows = [
        [
            f"{int(size):,}",
            *(_rate(batches[size]) for batches in batches_by_framework.values()),
            *(megabytes(batches[size]["peak_bytes"]) for batches in batches_by_framework.values()),
        ]
        for size in next(iter(batches_by_framework.values()))
    ]
    rounds = count_of(section["settings"]["rounds"], "epoch")
    return [
        *prose(f"""By the images in a step, each trainer in its own way, whole epochs: images per second, from the
            median of {rounds} after the first in one process, and peak memory of that process. The quality of the
            result changes with the batch size too; these are speeds alone:"""),
        *table(
            [
                "images in a step",
                *(f"{title}, images/s" for title in titles),
                *(f"{title}, peak memory, MB" for title in titles),
            ],
            rows,
        ),
    ]


def _rate(process: Mapping[str, Any]) -> str:
    return f"{process['steps'] * process['batch_size'] / statistics.median(process['seconds']):,.0f}"
