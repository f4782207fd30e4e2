"""The summary of the comparison that the page shows, against the committed comparison; and what it says of none."""

import copy
import json
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.support.app import CHECKOUT
from training.frameworks import FRAMEWORKS


@pytest.fixture(scope="module")
def script():
    """docs/scripts/comparison_data.py."""
    spec = spec_from_file_location("comparison_data", CHECKOUT / "docs" / "scripts" / "comparison_data.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def content(script):
    """The committed comparison."""
    return json.loads(script.SOURCE.read_text())


def measured(content):
    """Return a comparison with training and quality sections of small, known figures."""
    content = copy.deepcopy(content)
    origin = content["sections"]["code"]["measured"]
    process = {
        **dict.fromkeys(("batch_size", "peak_bytes", "loaded_bytes", "threads"), 1),
        "steps_per_epoch": 10,
        "steps": 5,
        "seconds": [2.0, 1.0, 3.0],
        "first_seconds": 7.0,
        "cores": [1.0],
    }
    run = {"curve": [{"validation_elbo": -110.0}, {"validation_elbo": -100.0}], "measured": origin}
    run |= {"elbo": {"value": -95.0}, "iwae": {"value": -90.0}}
    modes = {"compiled": [process], "eager": [{"unavailable": "there is no compiler"}]}
    content["sections"]["training"] = {
        "frameworks": {name: {"measured": origin, "modes": modes} for name in FRAMEWORKS}
    }
    runs = {name: {"seeds": {"0": run}} for name in FRAMEWORKS}
    content["sections"]["quality"] = {"settings": {"samples": 500}, "frameworks": runs}
    return content


def test_committed_summary_is_that_of_the_committed_comparison(script, tmp_path):
    """`docs/scripts/comparison_data.py` writes the page's file again, byte for byte."""
    script.write(script.SOURCE, tmp_path / "comparison.json")

    assert (tmp_path / "comparison.json").read_bytes() == script.TARGET.read_bytes()


def test_sections_that_were_not_measured_are_named(script, content):
    """A missing section is reported and has no chart, even if it was started and has no result yet."""
    content["sections"] = {"code": content["sections"]["code"], "training": {"settings": {}, "frameworks": {}}}

    summary = script.summarise(content)

    assert summary["missing"] == ["inference", "training", "quality"]
    assert {chart["section"] for chart in summary["charts"]} == {"code"}


def test_training_and_quality_are_charted(script, content):
    """Epochs that were timed in part count whole, a mode that couldn't run has no value, and ELBO is turned round."""
    charts = {chart["title"]: chart for chart in script.summarise(measured(content))["charts"]}

    def values(title):
        return charts[title]["series"][0]["values"]

    assert values("Training time per epoch") == [4.0, None]
    assert values("Extra time for the first epoch (compiling)") == [5.0, None]
    assert values("Quality on test images, after 2 epochs") == [95.0, 90.0]
    assert values("Quality on validation images (\N{MINUS SIGN}ELBO), by epoch") == [110.0, 100.0]
