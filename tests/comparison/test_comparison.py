"""The comparison without a framework: parity, the results file, statistics and formatting."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.checkpoints import make_checkpoint
from training.checkpoints.checkpoint import save_checkpoint
from training.comparison import worker_process
from training.comparison.agreement import section as agreement
from training.comparison.code_size import section as code
from training.comparison.config import SMOKE, ComparisonConfig
from training.comparison.inference_speed import section as inference
from training.comparison.inference_speed.disk_usage import package_bytes
from training.comparison.model_quality.summary import epochs_to, mean_curve
from training.comparison.results_file import ResultsFile
from training.comparison.training_speed import section as training
from training.comparison.training_speed.summary import speed_of
from training.config import ModelConfig
from training.errors import CheckpointError, ParityError, TrainingError
from training.frameworks import FRAMEWORKS
from training.machine import package_versions
from training.numpy_model import decode, encode
from training.reporting.markdown_tables import mean_spread, spread, table

MODEL = ModelConfig(hidden_dim=4, latent_dim=2)

PROCESS = {
    "device": "cpu",
    "threads": 2,
    "steps": 20,
    "steps_per_epoch": 200,
    "batch_size": 4,
    "first_seconds": 5.0,
    "seconds": [1.0, 3.0, 2.0],
    "cores": [1.5, 1.6, 1.7],
    "loaded_bytes": 100,
    "peak_bytes": 200,
}


@pytest.fixture
def config(tmp_path):
    """A config for two frameworks with small checkpoints."""
    for framework in ("jax", "pytorch"):
        save_checkpoint(tmp_path / framework / "model.safetensors", make_checkpoint(MODEL))
    return ComparisonConfig(
        frameworks=("jax", "pytorch"),
        installed=("jax", "pytorch"),
        checkpoints=tmp_path,
        preset="quick",
        epochs=None,
        seeds=1,
        device="cpu",
        sizes=SMOKE,
        resume=False,
        announce=lambda _: None,
    )


@pytest.fixture
def processes(monkeypatch):
    """Stand-ins for the processes: their recorded calls, and the error added to PyTorch's results."""
    calls, off = [], {"losses": 0.0, "logits": 0.0}

    def measure(task, framework, **options):
        calls.append((task, framework))
        assert task == "agreement", "nothing is to be timed"
        extra = {name: value * (framework == "pytorch") for name, value in off.items()}
        probe = agreement.binarize(agreement.load_dataset("mnist").test[:8], target="fixed", seed=agreement.TEST_SEED)
        weights = make_checkpoint(MODEL).weights
        mean, logvar = encode(weights, probe)
        logits = decode(weights, mean + agreement.draw_eps(8, 2) * np.exp(logvar / 2))
        layers = {f"{step}/{layer}": np.ones(3) for step in (0, *options["steps"]) for layer in agreement.OUTPUTS}
        losses = np.full(max(options["steps"]), 100.0) * (1 + extra["losses"])
        arrays = {f"logits/{name}": logits + extra["logits"] for name in options["checkpoints"]} | layers
        np.savez(options["out"], losses=losses, nudged_losses=losses, **arrays)
        return {}

    monkeypatch.setattr(worker_process, "measure", measure)
    return calls, off


@pytest.mark.parametrize("section", [training, inference])
@pytest.mark.parametrize(("figure", "difference"), [("losses", 2.4e-5), ("losses", np.nan), ("logits", 0.01)])
def test_nothing_is_timed_when_the_frameworks_differ(config, processes, tmp_path, section, figure, difference):
    """A loss or logit beyond the limit is an error before any timing, and the message has the difference."""
    calls, off = processes
    off[figure] = difference
    results = ResultsFile(tmp_path / "out", smoke=True)

    with pytest.raises(ParityError, match=r"nothing was timed: the frameworks' (loss|logits) differ by"):
        section.measure(config, results)

    assert {task for task, _ in calls} == {"agreement"}
    assert not results.path.exists()


def test_agreement_is_kept_with_every_pair_layer_and_loader(config, processes, tmp_path):
    """Differences are found where they were put, and saved."""
    _, off = processes
    off["losses"] = 1e-3
    results = ResultsFile(tmp_path / "out", smoke=True)

    agreement.measure(config, results)

    section = json.loads(results.path.read_text())["sections"]["agreement"]
    assert section["losses"]["pairs"][0]["of"] == ["jax", "pytorch"]
    assert section["losses"]["pairs"][0]["relative"] == pytest.approx([1e-3, 1e-3])
    assert [(entry["layer"], entry["steps"]) for entry in section["layers"][::6]] == [
        ("encoder.hidden", n) for n in (0, 1, 2)
    ]
    assert {trained: set(row) for trained, row in section["logits"].items()} == {
        "jax": {"jax", "pytorch"},
        "pytorch": {"jax", "pytorch"},
    }


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(("section", "name"), [(agreement, "agreement"), (code, "code")])
def test_further_framework_is_compared_with_the_others(config, monkeypatch, tmp_path, section, name, resume):
    """The section is measured again for both; with --resume, only because one was missing."""
    monkeypatch.setattr(code, "FILES", ("device.py",))
    results = ResultsFile(tmp_path / "out", smoke=True)
    section.measure(replace(config, frameworks=("jax",)), results)

    section.measure(replace(config, frameworks=("pytorch",), resume=resume), results)
    both = json.loads(results.path.read_text())["sections"][name]
    section.measure(replace(config, frameworks=("pytorch", "jax"), resume=True), results)

    assert both["frameworks"] == ["jax", "pytorch"]
    entries = both["logits"] if name == "agreement" else both["files"]["device.py"]["frameworks"]
    assert list(entries) == ["jax", "pytorch"]
    assert json.loads(results.path.read_text())["sections"][name] == both


def test_checkpoint_of_other_images_is_refused(config):
    """The comparison is on MNIST, and says so."""
    save_checkpoint(config.checkpoints / "jax" / "model.safetensors", make_checkpoint())

    with pytest.raises(CheckpointError, match="expected a model of MNIST's images, 28 x 28"):
        config.checkpoint("jax")


def test_record_keeps_sections_and_drops_figures_of_other_settings(tmp_path):
    """Figures are read back; those taken with other settings don't mix with new ones."""
    results = ResultsFile(tmp_path, smoke=False)
    results.section("quality", {"epochs": 1})["frameworks"] = {"jax": 1}
    results.section("code", {})["files"] = {}
    results.save()

    again = ResultsFile(tmp_path, smoke=False)

    assert again.section("quality", {"epochs": 1})["frameworks"] == {"jax": 1}
    assert again.section("quality", {"epochs": 2}) == {"settings": {"epochs": 2}}
    assert again.section("code", {})["files"] == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "can't be read"),
        ("[]", "expected a comparison of format triptych-comparison-1"),
        ('{"format": "other"}', "expected a comparison of format triptych-comparison-1"),
        ('{"format": "triptych-comparison-1", "smoke": true}', "figures with --smoke and without it don't mix"),
    ],
)
def test_record_refuses_what_is_no_comparison(tmp_path, text, message):
    """A file of another kind, a damaged one, or one of other sizes isn't overwritten."""
    (tmp_path / "comparison.json").write_text(text)

    with pytest.raises(TrainingError, match=message):
        ResultsFile(tmp_path, smoke=False)


def test_speed_is_in_proportion_where_a_part_was_timed():
    """20 steps of 200 stand for a tenth of an epoch; compiling is what the first took beyond the median."""
    speed = speed_of([PROCESS])

    assert list(speed.epoch_seconds) == [10.0, 30.0, 20.0]
    assert (speed.part, speed.images, list(speed.compile_seconds)) == (0.1, 800, [3.0])
    assert speed.run_seconds(5) == 3.0 + 5 * 20.0


def test_speed_is_none_where_a_mode_is_unavailable():
    """One process that couldn't compile is enough."""
    assert speed_of([PROCESS, {"unavailable": "no compiler"}]) is None


def test_epochs_to_a_level_are_those_of_the_mean_curve():
    """The first epoch at or below it; None where there is none."""
    runs = [{"curve": [{"validation_elbo": -elbo} for elbo in elbos]} for elbos in ((120, 104, 100), (110, 106, 98))]

    curve = mean_curve({"seeds": dict(enumerate(runs))})

    assert curve == [115, 105, 99]
    assert [epochs_to(curve, level) for level in (115, 105, 104, 90)] == [1, 2, 3, None]


def test_figures_are_shown_with_their_spread():
    """Medians with least and most, means with the standard deviation; one value is itself."""
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1234.5], 1) == "1,234.5"
    assert mean_spread([1.0, 3.0]) == "2.00 ± 1.41"
    assert table(["a", "b"], [["1", "2"]]) == ["", "| a | b |", "| --- | --: |", "| 1 | 2 |", ""]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_disk_counts_a_frameworks_packages_and_what_they_need(framework):
    """The framework itself is among them, tens of MB at least; another's packages are not."""
    sizes = package_bytes(framework)

    core = {name: next(iter(package_versions(info.packages))) for name, info in FRAMEWORKS.items()}
    assert {name for name in core.values() if name in sizes} == {core[framework]}
    assert sizes[core[framework]] > 1e7
    assert len(sizes) > 5


def test_failed_process_ends_with_its_own_words():
    """The error of a measurement is shown, not swallowed."""
    with pytest.raises(TrainingError, match=r"(?s)startup of caffe failed with status 1: .*KeyError"):
        worker_process.measure("startup", "caffe", checkpoint=str(Path("none")), device="cpu")
