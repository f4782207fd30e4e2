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
    found = {name: entry["batches"] for name, entry in measured.items() if entry.get("batches")}
    if not found:
        return []
    titles = [FRAMEWORKS[name].title for name in found]
    rows = [
        [
            f"{int(size):,}",
            *(_rate(batches[size]) for batches in found.values()),
            *(megabytes(batches[size]["peak_bytes"]) for batches in found.values()),
        ]
        for size in next(iter(found.values()))
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
