"""Measures code size: lines and tokens of the twin files, and the alignment of their lines."""

from typing import Any, Final

from training.comparison.code_size.code_metrics import count_code
from training.comparison.config import ComparisonConfig
from training.comparison.environment import describe_origin
from training.comparison.results_file import ResultsFile
from training.source_alignment import align_twins, read_twins

FILES: Final = (
    "model.py",
    "losses.py",
    "weights.py",
    "device.py",
    "sampling.py",
    "train.py",
    "adam.py",
    "cuda_graph.py",
    "data_parallel.py",
)
"""The twin files that define and train the model, without the comparison's backends."""


def measure(config: ComparisonConfig, results: ResultsFile) -> None:
    """Count and align the twin files of the requested frameworks and of those that the section has already."""
    frameworks = results.compared_frameworks("code", config.frameworks)
    section = results.section("code", {"files": FILES})
    if config.resume and section.get("frameworks") == list(frameworks):
        return
    files: dict[str, dict[str, Any]] = {}
    for file in FILES:
        sources = read_twins(file, frameworks)
        lines = [line for row in align_twins(sources) for line in row["lines"]]
        files[file] = {
            "frameworks": {framework: count_code(source) for framework, source in sources.items()},
            "aligned_lines": len(lines),
            "same_lines": sum(line["same"] for line in lines),
        }
    section |= {"measured": describe_origin(), "frameworks": list(frameworks), "files": files}
    results.content["sections"]["code"] = section
    results.save()
