"""The process of one measurement: `python -m training.comparison.measure TASK FRAMEWORK OPTIONS`, JSON in and out."""

import json
import sys
import time

_BEGAN = time.perf_counter()  # first of all: the start-up task counts from here


def main() -> None:
    """Run a task and print what it found as one line of JSON."""
    task, framework, options = sys.argv[1:]
    # After the clock was started, and of the tasks only the one.
    from importlib import import_module  # noqa: PLC0415

    found = import_module(f"training.comparison.tasks.{task}").run(framework, **json.loads(options))
    print(json.dumps(found))  # noqa: T201 - what the process is for


if __name__ == "__main__":
    main()
