"""Crossed runs: what is the same in all of them, and their order."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.runs import first_of_mnist
from training.comparison import worker_process
from training.comparison.config import SMOKE, ComparisonConfig
from training.comparison.crossed_weights import section
from training.comparison.crossed_weights.worker import draw_batches
from training.comparison.results_file import ResultsFile
from training.config import TrainConfig

CONFIG = TrainConfig(batch_size=64)


def test_batches_are_binary_and_hold_each_image_once():
    """An epoch takes whole batches of the shuffled images; a white pixel stays white, a black one black."""
    dataset = first_of_mnist(train=200, others=10)

    batches = list(draw_batches(dataset, 1, CONFIG, 20))

    assert [batch.shape for batch, _ in batches] == [(64, 784)] * 3
    assert [eps.shape for _, eps in batches] == [(64, 20)] * 3
    pixels = np.concatenate([batch for batch, _ in batches])
    assert set(np.unique(pixels)) == {0.0, 1.0}
    chosen = dataset.train[np.random.default_rng((CONFIG.seed, 1)).permutation(200)[:192]]
    assert (pixels[chosen == 255] == 1).all()
    assert (pixels[chosen == 0] == 0).all()


def test_batches_are_the_same_each_time_and_differ_by_epoch():
    """Only the epoch's number and the seed decide them."""
    dataset = first_of_mnist(train=200, others=10)

    first, again, next_one = (list(draw_batches(dataset, epoch, CONFIG, 20)) for epoch in (1, 1, 2))

    for (batch, eps), (same, same_eps) in zip(first, again, strict=True):
        np.testing.assert_array_equal(batch, same)
        np.testing.assert_array_equal(eps, same_eps)
    assert not np.array_equal(first[0][1], next_one[0][1])


@pytest.fixture
def config(tmp_path):
    """A comparison of two frameworks."""
    return ComparisonConfig(
        frameworks=("jax", "pytorch"),
        installed=("jax", "pytorch"),
        checkpoints=tmp_path,
        preset="quick",
        epochs=1,
        seeds=1,
        device="cpu",
        sizes=SMOKE,
        resume=True,
        announce=lambda _: None,
    )


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins for the processes: task, framework and names of the weights of each."""
    calls = []

    def measure(task, framework, **options):
        calls.append((task, framework, list(options.get("weights", ()))))
        return {"weights_of": {}, "nudged": {}} if task == "cross" else {}

    monkeypatch.setattr(worker_process, "measure", measure)
    return calls


def test_every_framework_gets_all_initial_weights(config, calls, tmp_path):
    """Each trains from the weights of both; results are saved, and with --resume not measured again."""
    results = ResultsFile(tmp_path, smoke=True)

    section.measure(config, results)
    section.measure(config, results)

    assert calls == [
        ("initial_weights", "jax", []),
        ("initial_weights", "pytorch", []),
        ("cross", "jax", ["jax", "pytorch"]),
        ("cross", "pytorch", ["jax", "pytorch"]),
    ]
    saved = json.loads(results.path.read_text())["sections"]["cross"]
    assert set(saved["frameworks"]) == {"jax", "pytorch"}
    assert saved["settings"]["weights_of"] == ["jax", "pytorch"]


@pytest.mark.parametrize("resume", [True, False])
def test_further_framework_joins_the_others(config, calls, tmp_path, resume):
    """All are trained from the weights of all, as the first one lacks the second's; none is lost."""
    results = ResultsFile(tmp_path, smoke=True)
    section.measure(replace(config, frameworks=("jax",)), results)
    calls.clear()

    section.measure(replace(config, frameworks=("pytorch",), resume=resume), results)

    assert [call for call in calls if call[0] == "cross"] == [
        ("cross", "jax", ["jax", "pytorch"]),
        ("cross", "pytorch", ["jax", "pytorch"]),
    ]
    saved = json.loads(results.path.read_text())["sections"]["cross"]
    assert list(saved["frameworks"]) == saved["settings"]["weights_of"] == ["jax", "pytorch"]


def test_framework_measured_again_leaves_the_others(config, calls, tmp_path):
    """Only the requested one is trained again if the section has the weights of all."""
    results = ResultsFile(tmp_path, smoke=True)
    section.measure(config, results)
    calls.clear()

    section.measure(replace(config, frameworks=("pytorch",), resume=False), results)

    assert [call for call in calls if call[0] == "cross"] == [("cross", "pytorch", ["jax", "pytorch"])]
    assert set(results.content["sections"]["cross"]["frameworks"]) == {"jax", "pytorch"}


@pytest.mark.usefixtures("calls")
def test_further_framework_does_not_replace_an_interrupted_run(config, tmp_path):
    """A framework without results yet is measured too, as is one whose results are of other settings."""
    results = ResultsFile(tmp_path, smoke=True)
    results.section("cross", {"weights_of": ["jax", "tensorflow"]})["frameworks"] = {"jax": {}}

    section.measure(replace(config, frameworks=("pytorch",)), results)

    assert set(results.content["sections"]["cross"]["frameworks"]) == {"jax", "tensorflow", "pytorch"}
