"""How fast do they train? Processes of each framework, compiled and eager, after parity was seen."""

from typing import Any

from training.comparison import child
from training.comparison.plan import Plan
from training.comparison.provenance import describe_origin
from training.comparison.record import Record
from training.comparison.sections.agreement import check_parity

MODES = ("compiled", "eager")


def measure(plan: Plan, record: Record) -> None:
    """Time each framework in both modes, a process after the other, and keep each framework's figures.

    Raises:
        ParityError: The frameworks don't compute the same.
    """
    sizes = plan.sizes
    settings = {
        "preset": plan.preset,
        "images": sizes.images,
        "processes": sizes.processes,
        "rounds": sizes.rounds,
        "eager_steps": sizes.eager_steps,
        "device": plan.device,
    }
    frameworks = record.section("training", settings).setdefault("frameworks", {})
    wanted = [framework for framework in plan.frameworks if not (plan.resume and framework in frameworks)]
    parity = check_parity(plan) if wanted else {}
    for framework in wanted:
        modes: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
        for number in range(1, sizes.processes + 1):
            for mode in MODES:
                plan.tell(f"training: {framework}, {mode}, process {number} of {sizes.processes}")
                modes[mode].append(
                    child.measure(
                        "training",
                        framework,
                        mode=mode,
                        preset=plan.preset,
                        device=plan.device,
                        images=sizes.images,
                        rounds=sizes.rounds,
                        steps=sizes.eager_steps if mode == "eager" else None,
                    )
                )
        frameworks[framework] = {"measured": describe_origin(), "parity": parity, "modes": modes}
        record.save()
