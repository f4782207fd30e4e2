"""The process of one measurement: `python -m training.comparison.worker TASK FRAMEWORK OPTIONS`, JSON in and out."""

import json
import sys
import time

_BEGAN = time.perf_counter()  # before all other imports: the start-up task measures from here

TASKS = {
    "agreement": "agreement.worker",
    "cross": "crossed_weights.worker",
    "inference": "inference_speed.latency_worker",
    "initial_weights": "crossed_weights.initial_weights_worker",
    "quality": "model_quality.worker",
    "startup": "inference_speed.startup_worker",
    "training": "training_speed.worker",
}
"""The module of each task, below `training.comparison`."""


def main() -> None:
    """Run a task and print its result as one line of JSON."""
    task, framework, options = sys.argv[1:]
    # After the clock has started, and only the requested task.
    from importlib import import_module  # noqa: PLC0415

    result = import_module(f"training.comparison.{TASKS[task]}").run(framework, **json.loads(options))
    print(json.dumps(result))  # noqa: T201 - the output of the process


if __name__ == "__main__":
    main()
