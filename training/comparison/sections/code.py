"""How do they read? Lines and tokens of the twin files, and their lines aligned."""

from typing import Any, Final

from training.comparison.alignment import align_twins, read_twins
from training.comparison.plan import Plan
from training.comparison.provenance import describe_origin
from training.comparison.record import Record
from training.comparison.source import count_code

FILES: Final = ("model.py", "losses.py", "weights.py", "device.py", "train.py")
"""What makes and trains the model; what only this comparison needs isn't counted."""


def measure(plan: Plan, record: Record) -> None:
    """Count and align the files of the frameworks that are compared."""
    section = record.section("code", {"files": FILES})
    if plan.resume and "files" in section:
        return
    found: dict[str, dict[str, Any]] = {}
    for file in FILES:
        sources = read_twins(file, plan.frameworks)
        lines = [line for row in align_twins(sources) for line in row["lines"]]
        found[file] = {
            "frameworks": {framework: count_code(source) for framework, source in sources.items()},
            "aligned_lines": len(lines),
            "same_lines": sum(line["same"] for line in lines),
        }
    section |= {"measured": describe_origin(), "frameworks": list(plan.frameworks), "files": found}
    record.content["sections"]["code"] = section
    record.save()
