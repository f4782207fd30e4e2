"""`python -m training compare`, as a user starts it: all three for real, tiny; interruption; wrong options."""

import json
import signal
import time
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from tests.support.cli import run, start
from tests.support.live_service import CHECKOUT
from training.comparison.agreement.section import LOSS_LIMIT
from training.comparison.config import SECTIONS
from training.frameworks import FRAMEWORKS

CHECKPOINTS = ("--checkpoints", str(CHECKOUT / "checkpoints"))

# A process for each framework and measurement, of some seconds each, and a C++ compiler.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A folder in which the command ran, its output, and the content of its comparison.json."""
    folder = tmp_path_factory.mktemp("compared")
    arguments = ("compare", "--smoke", "--seeds", "1", "--epochs", "1", "--out", "out", "--json", *CHECKPOINTS)
    done = run(*arguments, folder=folder, timeout=1100)
    assert done.returncode == 0, done.stderr
    return folder, done, json.loads((folder / "out" / "comparison.json").read_text())


def test_comparison_has_every_section_of_every_framework(compared):
    """Every section is measured, and the printed JSON is that of comparison.json."""
    _, done, content = compared

    assert json.loads(done.stdout) == content
    sections = content["sections"]
    assert set(sections) == set(SECTIONS)
    for section in sections.values():
        assert set(section["frameworks"]) == set(FRAMEWORKS)
    for figures in sections["training"]["frameworks"].values():
        assert set(figures["modes"]) == {"compiled", "eager"}
        assert all(len(processes) == 1 for processes in figures["modes"].values())
        assert figures["parity"]["loss"] <= LOSS_LIMIT


def test_frameworks_write_no_messages_of_their_start(compared):
    """Messages of TensorFlow's C++ code at each import are held back in all measuring processes."""
    _, done, _ = compared

    assert "absl" not in done.stderr
    assert "oneDNN" not in done.stderr


def test_page_shows_the_figures_of_the_record(compared):
    """Each section is on the page, with figures that are in comparison.json, the rules and the machine."""
    folder, _, content = compared
    page = (folder / "out" / "README.md").read_text()
    sections = content["sections"]

    for heading in ("The rules", "What is still unfair", "Code", "Training", "Quality", "Agreement", "Inference"):
        assert f"# {heading}\n" in page
    assert "Not measured yet" not in page
    assert "Measured with `--smoke`" in page
    assert sections["code"]["measured"]["machine"] in page
    assert sections["code"]["measured"]["commit"][:10] in page
    for framework in FRAMEWORKS:
        assert str(sections["code"]["files"]["model.py"]["frameworks"][framework]["tokens"]) in page
        assert f"{-sections['quality']['frameworks'][framework]['seeds']['0']['elbo']['value']:,.2f}" in page
        assert f"{sections['training']['frameworks'][framework]['modes']['eager'][0]['first_seconds']:.2f}" in page
        assert f"{sections['inference']['frameworks'][framework]['starts'][0]['import_seconds']:.3f}" in page
        assert f"{sections['agreement']['logits']['jax'][framework]:.1e}" in page
    assert "`decoder.logits`" in page
    code = (folder / "out" / "code.md").read_text()
    assert "<code>VAE.__call__</code>" in code
    assert "*     def forward(" in code


@pytest.mark.parametrize("name", SECTIONS)
def test_plots_can_be_opened(compared, name):
    """Each plot is a PNG picture and an SVG file, and on the page."""
    folder, _, _ = compared

    with Image.open(folder / "out" / f"{name}.png") as picture:
        picture.load()
        assert picture.format == "PNG"
    assert ET.parse(folder / "out" / f"{name}.svg").getroot().tag.endswith("svg")
    assert f"({name}.png)" in (folder / "out" / "README.md").read_text()


def test_one_section_is_taken_anew_and_the_others_stay(compared):
    """The page is rewritten from the recorded results; with --resume, existing results aren't measured again."""
    folder, _, content = compared

    again = ("--smoke", "--seeds", "1", "--epochs", "1", "--out", "out", *CHECKPOINTS)
    repeated = run("compare", "--sections", "code", *again, folder=folder)
    updated_content = json.loads((folder / "out" / "comparison.json").read_text())
    resumed = run("compare", "--resume", *again, folder=folder)

    assert repeated.returncode == resumed.returncode == 0, repeated.stderr + resumed.stderr
    assert updated_content["sections"]["code"]["measured"]["time"] > content["sections"]["code"]["measured"]["time"]
    assert {**updated_content["sections"], "code": None} == {**content["sections"], "code": None}
    assert json.loads((folder / "out" / "comparison.json").read_text()) == updated_content
    assert "process 1" not in resumed.stderr


def test_interrupted_comparison_goes_on_where_it_was(tmp_path):
    """SIGTERM ends it with 143 and the command that resumes it; existing results are kept and not measured again."""
    arguments = ("compare", "--smoke", "--sections", "quality", "--frameworks", "jax", "--seeds", "2", "--out", "out")
    record = tmp_path / "out" / "comparison.json"

    process = start(*arguments, folder=tmp_path)
    deadline = time.monotonic() + 240
    while not record.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    seeds_before = json.loads(record.read_text())["sections"]["quality"]["frameworks"]["jax"]["seeds"]
    resumed = run(*arguments, "--resume", folder=tmp_path)

    assert process.returncode == 143, errors
    assert f"continue with: python -m training {' '.join(arguments)} --resume" in errors
    assert list(seeds_before) == ["0"]
    assert resumed.returncode == 0, resumed.stderr
    seeds = json.loads(record.read_text())["sections"]["quality"]["frameworks"]["jax"]["seeds"]
    assert seeds["0"] == seeds_before["0"]
    assert list(seeds) == ["0", "1"]
    assert "Not measured yet: `python -m training compare --sections code`" in (tmp_path / "out/README.md").read_text()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["--sections", "speed"],
            2,
            "sections is 'speed': expected a comma-separated list of code, agreement, inference",
        ),
        (["--frameworks", "jax,caffe"], 2, "unknown framework 'caffe'"),
        (["--seeds", "0"], 2, "--seeds"),
        (["--checkpoints", "nowhere", "--sections", "inference"], 1, "nowhere/jax/model.safetensors"),
    ],
)
def test_wrong_options_get_one_sentence_and_an_exit_code(run_here, tmp_path, words, code, message):
    """Nothing is written; an error that isn't handled would fail the test."""
    done = run_here("compare", "--smoke", "--out", "out", *words)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
