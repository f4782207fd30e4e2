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


@pytest.fixture
def content():
    """The committed comparison, with the rows of further modes, as if they were as fast as the framework's own."""
    content = json.loads((CHECKOUT / "docs" / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    sections = content["sections"]
    for framework, modes in EXTRA_MODES.items():
        found = sections["training"]["frameworks"][framework]["modes"]
        found |= {mode: copy.deepcopy(found["compiled"]) for mode in modes}
    for framework in COMPILERS:
        found = sections["inference"]["frameworks"][framework]
        found["compiled"] = copy.deepcopy(found["processes"])
    return content


def test_every_way_of_a_framework_has_its_row(content, tmp_path):
    """Training has a row for each mode, inference one for each compiler; the plots take them too."""
    paths = list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for framework, modes in EXTRA_MODES.items():
        for mode in modes:
            assert f"| {FRAMEWORKS[framework].title}, {mode} |" in page
    for framework, compiler in COMPILERS.items():
        assert f"| {FRAMEWORKS[framework].title}, {compiler} |" in page
    assert all(path.stat().st_size for path in paths)


def test_bounds_are_named_as_bounds(content, tmp_path):
    """The importance-weighted figures are upper bounds of -log p(x), with their number of samples."""
    list(write_page(tmp_path, content))

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "-L500, upper bound of -log p(x)" in page
    assert "-log p(x), importance-weighted" not in page


def test_abstract_says_what_the_figures_carry(content, tmp_path):
    """Few seeds can't tell frameworks apart, and the page says so; with ten of each it doesn't."""
    seeds = content["sections"]["quality"]["frameworks"]

    list(write_page(tmp_path, content))
    few = (tmp_path / "README.md").read_text(encoding="utf-8")
    for found in seeds.values():
        found["seeds"] = {str(seed): found["seeds"]["0"] for seed in range(10)}
    list(write_page(tmp_path, content))
    many = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert "3 seeds of each can't tell a difference of this size from luck" in " ".join(few.split())
    assert "can't tell a difference" not in many


def test_abstract_says_that_losses_disagree(content, tmp_path):
    """Beyond the limit of the parity check, frameworks don't compute the same; of one alone, nothing is said."""
    losses = content["sections"]["agreement"]["losses"]

    list(write_page(tmp_path, content))
    same = (tmp_path / "README.md").read_text(encoding="utf-8")
    losses["pairs"][0]["relative"][3] = 2 * LOSS_LIMIT
    list(write_page(tmp_path, content))
    different = (tmp_path / "README.md").read_text(encoding="utf-8")
    losses["pairs"].clear()
    list(write_page(tmp_path, content))
    alone = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert "**They compute the same, as far as rounding shows.**" in same
    assert (
        "**They don't compute the same.** Over the first 25 steps the losses of two frameworks differ by" in different
    )
    assert "compute the same" not in alone.replace("**Do they compute the same?** Only one framework was measured.", "")


def test_page_names_sections_measured_on_several_machines(content, tmp_path):
    """The rule that all frameworks are measured on one machine says where it was broken."""
    list(write_page(tmp_path, content))
    one = (tmp_path / "README.md").read_text(encoding="utf-8")
    content["sections"]["training"]["frameworks"]["jax"]["measured"]["machine"] = "another"
    list(write_page(tmp_path, content))
    several = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert "Not so in" not in one
    assert "**Not so in training**: several machines measured a part each." in " ".join(several.split())


def test_committed_page_is_made_of_the_committed_figures(tmp_path):
    """README.md and code.md are what this code writes: otherwise run docs/scripts/comparison_page.py."""
    folder = CHECKOUT / "docs" / "comparison"

    list(write_page(tmp_path, json.loads((folder / "comparison.json").read_text(encoding="utf-8"))))

    for name in ("README.md", "code.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (folder / name).read_text(encoding="utf-8")


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
