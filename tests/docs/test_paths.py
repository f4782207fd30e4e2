"""Paths in documents: those that developers' pages name exist, and those that commands write are ignored by git."""

import re
from fnmatch import fnmatch

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

WRITTEN = re.compile(r" -o ([\w.-]+)")
"""A file that a command writes beside the README."""

PATH = re.compile(r"`((?:app|benchmarks|checkpoints|deploy|docs|tests|training)/[\w./-]*|\w+\.(?:md|toml))`")
"""A path in code font; those with a placeholder, such as `<name>`, don't match."""


@pytest.mark.parametrize("page", PAGES)
def test_page_names_paths_that_exist(page):
    """A reader finds every file and folder under the path that the page gives."""
    paths = PATH.findall((CHECKOUT / page).read_text(encoding="utf-8"))

    assert paths
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []


def test_files_that_commands_write_are_ignored():
    """After the commands of README and guide, `git status` shows nothing new."""
    rules = [line for line in (CHECKOUT / ".gitignore").read_text().splitlines() if line.startswith("/")]
    pages = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]
    written = {name for page in pages for name in WRITTEN.findall(page.read_text(encoding="utf-8"))}

    assert "samples.png" in written
    assert {name for name in written if not any(fnmatch(f"/{name}", rule) for rule in rules)} == set()
