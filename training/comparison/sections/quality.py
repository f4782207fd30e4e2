"""How good do the models become? Runs of each framework with several seeds, from scratch."""

from dataclasses import asdict

from training.comparison import child
from training.comparison.plan import Plan
from training.comparison.provenance import describe_origin
from training.comparison.record import Record


def measure(plan: Plan, record: Record) -> None:
    """Train each framework with each seed, and keep each run's figures as it ends."""
    sizes = plan.sizes
    wanted = {name: asdict(sizes)[name] for name in ("images", "test_images", "draws", "samples")}
    settings = {"preset": plan.preset, "epochs": plan.epochs, "device": plan.device} | wanted
    frameworks = record.section("quality", settings).setdefault("frameworks", {})
    for framework in plan.frameworks:
        runs = frameworks.setdefault(framework, {"seeds": {}})["seeds"]
        for seed in range(plan.seeds):
            if plan.resume and str(seed) in runs:
                continue
            plan.tell(f"quality: {framework}, seed {seed} (of 0 to {plan.seeds - 1})")
            runs[str(seed)] = child.measure("quality", framework, seed=seed, **settings)
            runs[str(seed)]["measured"] = describe_origin()
            record.save()
