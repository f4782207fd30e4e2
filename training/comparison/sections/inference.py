"""How fast do they answer? Start-up, latency and size on disk of each framework, after parity was seen."""

from typing import Any

from training.comparison import child
from training.comparison.disk import package_bytes
from training.comparison.plan import Plan
from training.comparison.provenance import describe_origin
from training.comparison.record import Record
from training.comparison.sections.agreement import check_parity


def measure(plan: Plan, record: Record) -> None:
    """Measure each framework with its own checkpoint, and keep its figures.

    Raises:
        ParityError: The frameworks don't compute the same.
    """
    sizes = plan.sizes
    settings = {
        "batch_sizes": sizes.batch_sizes,
        "processes": sizes.processes,
        "rounds": sizes.rounds,
        "round_seconds": sizes.round_seconds,
        "device": plan.device,
    }
    frameworks = record.section("inference", settings).setdefault("frameworks", {})
    wanted = [framework for framework in plan.frameworks if not (plan.resume and framework in frameworks)]
    parity = check_parity(plan) if wanted else {}
    for framework in wanted:
        path = plan.checkpoint(framework)
        starts, processes = [], []
        for number in range(1, sizes.processes + 1):
            plan.tell(f"inference: {framework}, process {number} of {sizes.processes}")
            options: dict[str, Any] = {"checkpoint": str(path), "device": plan.device}
            starts.append(child.measure("startup", framework, **options))
            options |= {"batch_sizes": sizes.batch_sizes, "rounds": sizes.rounds, "round_seconds": sizes.round_seconds}
            processes.append(child.measure("inference", framework, **options))
        frameworks[framework] = {
            "measured": describe_origin(),
            "parity": parity,
            "starts": starts,
            "processes": processes,
            "disk": {"packages": package_bytes(framework), "checkpoint": path.stat().st_size},
        }
        record.save()
