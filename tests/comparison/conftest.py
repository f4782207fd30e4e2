"""A page of the comparison without its pictures, for tests of its text."""

import pytest


@pytest.fixture
def without_plots(monkeypatch):
    """Draw the plots, and leave empty files in their place: the test of the command opens those that it has written."""
    monkeypatch.setattr("training.comparison.page.save", lambda _figure, path: path.touch())
