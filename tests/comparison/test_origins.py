"""Origin of results: recorded with them, and compared with the code that the page is written with."""

import copy
import json
import sys

import pytest

from tests.support.live_service import CHECKOUT
from training.comparison import worker_process
from training.comparison.code_size.code_metrics import code_tokens
from training.comparison.environment import describe_origin, find_origins, stale_frameworks, trainer_digests
from training.comparison.page import write_page
from training.frameworks import FRAMEWORKS

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def fresh():
    """The committed comparison, as if everything in it were measured with this code."""
    content = json.loads((CHECKOUT / "docs" / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    for section in content["sections"].values():
        for _, origin in find_origins(section):
            origin["trainers"] = dict(trainer_digests())
            origin["command"] = "python -m training compare --seeds 1"
    return content


def page_of(content, folder):
    """Return the text of the page."""
    list(write_page(folder, content))
    return (folder / "README.md").read_text(encoding="utf-8")


def test_origin_has_the_command_and_the_code_of_each_trainer(monkeypatch):
    """The command is the one that was run, with its options; each trainer has a digest."""
    monkeypatch.setattr(sys, "argv", ["training", "compare", "--out", "a folder"])

    origin = describe_origin()

    assert origin["command"] == "python -m training compare --out 'a folder'"
    assert set(origin["trainers"]) == set(FRAMEWORKS)
    assert len(set(origin["trainers"].values())) == len(FRAMEWORKS)


def test_comments_do_not_make_results_stale():
    """The digest is of the tokens that run: comments, docstrings and blank lines aren't among them."""
    assert code_tokens('"""One."""\n\nx = 1  # two\n') == code_tokens("x = 1\n")
    assert code_tokens("x = 1\n") != code_tokens("x = 2\n")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_sections_measured_with_other_code_are_marked(fresh, tmp_path, framework):
    """A section is stale if a trainer has changed since, or wasn't recorded, and the page says so; others aren't."""
    changed = copy.deepcopy(fresh)
    for origin_framework, origin in find_origins(changed["sections"]["training"]):
        if origin_framework == framework:
            origin["trainers"][framework] = "another"
    for _, origin in find_origins(changed["sections"]["quality"]):
        del origin["trainers"]

    page, marked = page_of(fresh, tmp_path), page_of(changed, tmp_path)

    assert "Stale" not in page
    assert "`python -m training compare --seeds 1`" in page
    assert stale_frameworks(changed["sections"]["training"]) == (framework,)
    assert stale_frameworks(changed["sections"]["quality"]) == tuple(FRAMEWORKS)
    assert "**Stale sections: training, quality.**" in marked
    assert f"**Stale:** measured with other code of {FRAMEWORKS[framework].title} than" in marked


def test_warnings_of_a_measuring_process_are_passed_on(capsys):
    """The stderr of a process appears, not only in the error message."""
    with pytest.raises(Exception, match="failed with status 1"):
        worker_process.measure("startup", "caffe", checkpoint="none", device="cpu")

    assert "KeyError" in capsys.readouterr().err
