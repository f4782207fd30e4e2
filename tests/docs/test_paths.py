"""Paths in the developers' pages: each file and folder that they name exists."""

import re

import pytest

from tests.support.live_service import CHECKOUT

PAGES = (
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/fairness.md",
    "docs/how-to/add-a-route.md",
    "docs/how-to/add-a-setting.md",
    "docs/how-to/deploy.md",
    "docs/how-to/fourth-framework.md",
    "docs/performance.md",
)

PATH = re.compile(r"`((?:app|benchmarks|checkpoints|deploy|docs|tests|training)/[\w./-]*|\w+\.(?:md|toml))`")
"""A path in code font; those with a placeholder, such as `<name>`, don't match."""


@pytest.mark.parametrize("page", PAGES)
def test_page_names_paths_that_exist(page):
    """A reader finds every file and folder under the path that the page gives."""
    paths = PATH.findall((CHECKOUT / page).read_text(encoding="utf-8"))

    assert paths
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []
