"""`benchmarks.training`: its tables. Measures nothing."""

from benchmarks.training.__main__ import report_batch_sizes


def one_process(framework, batch_size, trainer, loop):
    """Return what a worker prints, with the seconds of each round of the trainer and of one reference loop."""
    return {
        "framework": framework,
        "machine": "2 cores of X",
        "commit": "abc",
        "device": "cpu",
        "python": "3.11",
        "versions": {framework: "1.0"},
        "threads": 2,
        "images": 1000,
        "batch_size": batch_size,
        "seconds": {"trainer": trainer, "common: a loop": loop},
        "load_averages": [0.5],
    }


def test_batch_sizes_are_columns_and_loops_are_rows():
    """Cells are images per second of the median round; sizes ascend, and the loops of a framework stay together."""
    lines = report_batch_sizes(
        [
            one_process("jax", 256, [1.0, 0.5, 4.0], [2.0, 2.0, 2.0]),
            one_process("jax", 32, [4.0, 4.0, 4.0], [8.0, 9.0, 10.0]),
            one_process("pytorch", 256, [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]),
            one_process("pytorch", 32, [2.0, 2.0, 2.0], [5.0, 5.0, 5.0]),
        ]
    )

    assert lines[0].startswith("2 cores of X, commit abc; device cpu; Python 3.11, jax 1.0, pytorch 1.0; threads")
    assert lines[3:-1] == [
        "| framework | loop | batches of 32 | batches of 256 |",
        "| --- | --: | --: | --: |",
        "| jax | trainer | 250 | 1,000 |",
        "| jax | a loop | 111 | 500 |",
        "| pytorch | trainer | 500 | 1,000 |",
        "| pytorch | a loop | 200 | 500 |",
    ]
