"""The page, from results as they would be measured: a row for each way of a framework."""

import copy
import json
import re

import pytest

from tests.support.live_service import CHECKOUT
from training.comparison.agreement.section import LOSS_LIMIT
from training.comparison.inference_speed.section import COMPILERS
from training.comparison.page import write_page
from training.comparison.training_speed.section import EXTRA_MODES
from training.frameworks import FRAMEWORKS

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def content():
    """The committed comparison, with the rows of further modes, as if they were as fast as the framework's own."""
    content = json.loads((CHECKOUT / "docs" / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    sections = content["sections"]
    for framework, modes in EXTRA_MODES.items():
        measured_modes = sections["training"]["frameworks"][framework]["modes"]
        measured_modes |= {mode: copy.deepcopy(measured_modes["compiled"]) for mode in modes}
    for inference in map(sections["inference"]["frameworks"].get, COMPILERS):
        inference["compiled"] = copy.deepcopy(inference["processes"])
    for training in sections["training"]["frameworks"].values():
        training["batches"] = dict.fromkeys(("32", "4096"), training["modes"]["compiled"][0])
    sections["cross"] = crossed({"jax": 99.0, "tensorflow": 99.01, "pytorch": 98.98}, sections["code"]["measured"])
    return content


def crossed(losses, origin):
    """Return a section of runs in which weights of PyTorch are 0.1 nats better, and nudging costs 0.02."""
    return {
        "settings": {"preset": "quick", "epochs": None, "test_images": 100, "draws": 2, "weights_of": list(losses)},
        "frameworks": {
            name: {
                "measured": origin,
                "weights_of": {of: {"elbo": -loss + 0.1 * (of == "pytorch")} for of in losses},
                "nudged": {
                    "up": {"elbo": -loss + 0.1 * (name == "pytorch") - 0.02},
                    "down": {"elbo": -loss + 0.1 * (name == "pytorch")},
                },
            }
            for name, loss in losses.items()
        },
    }


def test_every_way_of_a_framework_has_its_row(content, tmp_path, monkeypatch):
    """Training has a row for each mode, inference one for each compiler; the plots take them too."""
    monkeypatch.undo()  # with its plots

    paths = list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for framework, modes in EXTRA_MODES.items():
        for mode in modes:
            assert f"| {FRAMEWORKS[framework].title}, {mode} |" in page
    for framework, compiler in COMPILERS.items():
        assert f"| {FRAMEWORKS[framework].title}, {compiler} |" in page
    assert all(path.stat().st_size for path in paths)


def test_batch_sizes_have_their_rates_and_memory(content, tmp_path):
    """Images per second from the median epoch, and the process's largest memory."""
    record = content["sections"]["training"]["frameworks"]["jax"]["batches"]["32"] = {
        "steps": 100,
        "batch_size": 32,
        "seconds": [1.0, 0.5, 2.0],
        "peak_bytes": 900_000_000,
    }
    for framework in ("tensorflow", "pytorch"):
        content["sections"]["training"]["frameworks"][framework]["batches"]["32"] = {**record, "seconds": [4.0]}

    list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| 32 | 3,200 | 800 | 800 | 900 | 900 | 900 |" in page


def test_crossed_runs_show_their_causes(content, tmp_path):
    """Each run is in the table, and the abstract has the largest difference of each cause."""
    list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| of JAX | 99.000 | 99.010 | 98.980 |" in page
    assert "| its own, nudged up | 99.020 | 99.030 | 98.900 |" in page
    text = " ".join(page.split())
    assert "two frameworks end at most 0.030 apart" in text
    assert "nudged by rounding, 0.020; two initial weights in one framework, 0.100" in text
    assert "JAX by up to 0.020, TensorFlow by up to 0.020, PyTorch by up to 0.020, with one seed" in text
    assert "the differences are larger than these nudges move one of them" in text
    assert "the runs from the same weights have one" in text


def test_crossed_runs_within_rounding_say_so(content, tmp_path):
    """Frameworks that differ by less than a nudge differ by about what rounding does."""
    content["sections"]["cross"] = crossed(
        {"jax": 99.0, "tensorflow": 99.01, "pytorch": 99.0}, content["sections"]["code"]["measured"]
    )

    list(write_page(tmp_path, content))

    text = " ".join((tmp_path / "README.md").read_text(encoding="utf-8").split())
    assert "from the same weights: 0.010 nats." in text
    assert "the differences are of the size of rounding" in text


def test_crossed_runs_of_one_framework_have_no_causes(content, tmp_path):
    """Differences that one framework alone can't show are left out."""
    content["sections"]["cross"] = crossed({"jax": 99.0}, content["sections"]["code"]["measured"])

    list(write_page(tmp_path, content))

    text = " ".join((tmp_path / "README.md").read_text(encoding="utf-8").split())
    assert "| of JAX | 99.000 |" in text
    assert "Largest difference between two frameworks" not in text
    assert "nudged by rounding" not in text


def test_bounds_are_named_as_bounds(content, tmp_path):
    """The importance-weighted figures are upper bounds of -log p(x), with their number of samples."""
    list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "-L500, upper bound of -log p(x)" in page
    assert "-log p(x), importance-weighted" not in page


def write_with_losses(content, folder, **losses):
    """Write the page of runs with these losses by framework, from seed 0; return its text on one line."""
    frameworks = content["sections"]["quality"]["frameworks"]
    for framework, values in losses.items():
        run = frameworks[framework]["seeds"]["0"]
        frameworks[framework]["seeds"] = {
            str(seed): run | {"elbo": run["elbo"] | {"value": -loss}} for seed, loss in enumerate(values)
        }
    list(write_page(folder, content))
    return " ".join((folder / "README.md").read_text(encoding="utf-8").split())


def test_few_seeds_tell_no_difference(content, tmp_path):
    """The page says that three seeds can't tell frameworks apart, and not that ten can't."""
    losses = {"jax": [98.0] * 10, "tensorflow": [99.0] * 10, "pytorch": [98.5] * 10}
    few = write_with_losses(content, tmp_path, **{name: values[:3] for name, values in losses.items()})
    many = write_with_losses(content, tmp_path, **losses)

    assert "3 seeds of each can't tell a difference of this size from luck" in few
    assert "Paired by seed" not in few
    assert "can't tell a difference" not in many


# In units of the standard error a mean difference of 2.6 is beyond t's 97.5% quantile of 9 degrees, 2.26, and within
# the one that leaves a third of 2.5% outside, 2.93; differences to PyTorch's losses vary too much to say anything.
@pytest.mark.parametrize(
    ("mean", "sentence"),
    [
        (2.0, "Paired by seed, 0 lies within the 95% interval of each difference."),
        (
            2.6,
            "only JAX minus TensorFlow has a 95% interval without 0. Corrected for 3 comparisons, none has",
        ),
        (3.2, "Paired by seed, 0 lies outside the joint 95% interval of JAX minus TensorFlow."),
    ],
)
def test_abstract_says_whether_frameworks_differ(content, tmp_path, mean, sentence):
    """A difference counts as one only if it is beyond luck among all pairs."""
    error = (10 / 9) ** 0.5 / 10**0.5  # of ten differences, half of them 1 above their mean and half 1 below
    page = write_with_losses(
        content,
        tmp_path,
        jax=[98.0] * 10,
        tensorflow=[98 + mean * error + sign for sign in (1, 1, 1, 1, 1, -1, -1, -1, -1, -1)],
        pytorch=[98 + 5 * sign for sign in (1, -1, 1, -1, 1, -1, 1, -1, 1, -1)],
    )

    assert sentence in page


def test_abstract_says_that_losses_disagree(content, tmp_path):
    """Beyond the limit of the parity check, the frameworks' losses don't agree; of one alone, nothing is said."""
    losses = content["sections"]["agreement"]["losses"]

    list(write_page(tmp_path, content))
    same = (tmp_path / "README.md").read_text(encoding="utf-8")
    losses["pairs"][0]["relative"][3] = 2 * LOSS_LIMIT
    list(write_page(tmp_path, content))
    different = (tmp_path / "README.md").read_text(encoding="utf-8")
    losses["pairs"].clear()
    list(write_page(tmp_path, content))
    alone = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert "**Their losses agree within the limit.** Over the first 25 steps" in same
    assert "**Their losses don't agree within the limit.** Over the first 25 steps" in different
    assert "**Do they compute the same?** Only one framework was measured." in alone
    assert "within the limit" not in alone


@pytest.mark.parametrize(
    ("seconds", "is_settled"),
    [([[1.0, 1.1, 1.0], [1.3, 1.2, 1.3], [1.1, 1.1, 1.1]], False), ([[1.0], [1.1], [1.0]], True)],
)
def test_speeds_of_unsteady_processes_have_no_order(content, tmp_path, seconds, is_settled):
    """Processes of one framework that differ by more than the frameworks leave these without an order."""
    for place, framework in enumerate(FRAMEWORKS):
        modes = content["sections"]["training"]["frameworks"][framework]["modes"]
        for mode, processes in modes.items():
            modes[mode] = [
                processes[0]
                | {"steps": 1, "steps_per_epoch": 1, "seconds": [value * (1 + 0.1 * place) for value in each]}
                for each in seconds
            ]

    list(write_page(tmp_path, content))

    text = " ".join((tmp_path / "README.md").read_text(encoding="utf-8").split())
    assert f"3 processes of each on one machine, with {len(seconds[0])} epoch" in text
    assert ("differ by up to 30%, those of the frameworks by 20%: no order is established" in text) is not is_settled


def test_page_names_sections_measured_on_several_machines(content, tmp_path):
    """The rule that all frameworks are measured on one machine says where it was broken."""
    list(write_page(tmp_path, content))
    one_machine = (tmp_path / "README.md").read_text(encoding="utf-8")
    content["sections"]["training"]["frameworks"]["jax"]["measured"]["machine"] = "another"
    list(write_page(tmp_path, content))
    several_machines = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert "Not so in" not in one_machine
    assert "**Not so in training**: several machines measured a part each." in " ".join(several_machines.split())


def test_every_field_of_the_json_is_documented(content):
    """Each name in comparison.json is on its page of the guide, except names of packages, files, layers and seeds."""
    page = (CHECKOUT / "docs" / "reference" / "comparison-json.md").read_text(encoding="utf-8")
    free = {"versions", "packages", "trainers", "files", "differences", "batches", "modes", "seeds", "frameworks"}

    def names(value, parent):
        for child in value if isinstance(value, list) else ():
            yield from names(child, parent)
        for name, child in value.items() if isinstance(value, dict) else ():
            if parent not in free and name not in FRAMEWORKS and parent != "settings":
                yield name
            yield from names(child, name)

    assert not {name for name in names(content, "") if not re.search(rf"[`.]{name}[`.]", page)}
