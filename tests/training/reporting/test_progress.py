"""Progress of a run, on a terminal and elsewhere."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import make_record
from training.errors import ConfigError
from training.reporting.progress import choose_report

ROOT = Path(__file__).parents[3]


def tell(capsys, *, quiet=False, as_json=False):
    """Report a run of two epochs, and return the lines of stdout."""
    with choose_report("jax", epochs=2, quiet=quiet, as_json=as_json) as report:
        report.start("jax begins")
        report.epoch(make_record(1))
        report.epoch(make_record(2, best=False))
        report.result("the result", {"test_elbo": -94.5})
        report.note("a note")
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def test_plain_lines_have_every_figure_when_it_is_no_terminal(capsys):
    """A pipe gets a line for each epoch, however narrow, without colors and cursor movements."""
    lines = tell(capsys)

    assert lines[0] == "jax begins"
    assert lines[1] == (
        "epoch 1/2   2.00 s       8 images/s  ETA -:--:--  train: loss  101.00, ELBO  -101.00, KL 21.00  "
        "validation: loss  109.00, ELBO  -109.00, KL 22.00  saved"
    )
    assert re.fullmatch(r"epoch 2/2 .* ETA 0:00:00  train: .*, KL 23.00", lines[2])
    assert lines[3:] == ["the result", "a note"]


def test_quiet_run_prints_only_its_result(capsys):
    """The last line is the only one."""
    assert tell(capsys, quiet=True) == ["the result"]


def test_json_lines_are_all_that_a_json_run_writes(capsys):
    """Each line is an object with its kind and the same metrics as `metrics.jsonl`."""
    lines = [json.loads(line) for line in tell(capsys, as_json=True)]

    assert lines == [
        {"event": "epoch", "framework": "jax", **make_record(1)},
        {"event": "epoch", "framework": "jax", **make_record(2, best=False)},
        {"event": "result", "framework": "jax", "test_elbo": -94.5},
    ]


def test_quiet_and_json_are_refused_together():
    """The message says which to take."""
    with pytest.raises(ConfigError, match=r"--quiet and --json: expected one of them; .*"):
        choose_report("jax", epochs=1, quiet=True, as_json=True)


def test_live_report_shows_bar_and_figures_on_a_terminal():
    """A terminal gets one display in place: epochs, time left, speed, ELBO and KL of both parts; then the result."""
    script = (
        "from tests.support.runs import make_record\n"
        "from training.reporting.progress import choose_report\n"
        "with choose_report('jax', epochs=4, resumed_after=1, quiet=False, as_json=False) as report:\n"
        "    report.start('jax begins')\n"
        "    report.epoch(make_record(2))\n"
        "    report.epoch(make_record(3, best=False))\n"
        "    report.result('the result', {})\n"
    )
    controller, terminal = pty.openpty()

    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    output = _read_all(controller)

    assert process.wait(timeout=60) == 0, output
    assert "\x1b[1A" in output  # it goes back up, over what it showed before
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    assert "jax begins" in plain
    assert re.search(r"jax ━+.* 3/4 epochs .* ETA .* 8 images/s", plain)
    assert re.search(r"train +-103.00 +23.00", plain)
    assert re.search(r"validation +-107.00 +24.00 +best -108.00, epoch 2", plain)
    assert plain.rstrip().endswith("the result")


def _read_all(descriptor):
    chunks = []
    try:
        while chunk := os.read(descriptor, 4096):
            chunks.append(chunk)
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(descriptor)
    return b"".join(chunks).decode()
