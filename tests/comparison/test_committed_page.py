"""The committed page beside the code that writes it."""

import json

import pytest

from tests.support.live_service import CHECKOUT
from training.comparison.page import write_page

pytestmark = pytest.mark.usefixtures("without_plots")


def test_committed_page_is_made_of_the_committed_figures(tmp_path):
    """README.md and code.md are what this code writes: otherwise run docs/scripts/comparison_page.py."""
    folder = CHECKOUT / "docs" / "comparison"

    list(write_page(tmp_path, json.loads((folder / "comparison.json").read_text(encoding="utf-8"))))

    for name in ("README.md", "code.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (folder / name).read_text(encoding="utf-8")
