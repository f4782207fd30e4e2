"""`python -m app` as a separate process: its command line and environment."""

import os
import sys

import pytest

from tests.support.app import CHECKOUT
from training.frameworks import FRAMEWORKS, is_installed

FRAMEWORK = next((name for name in ("pytorch", *FRAMEWORKS) if is_installed(name)), None)
"""The installed framework that starts fastest, or None."""

needs_framework = pytest.mark.skipif(FRAMEWORK is None, reason="no framework is installed")


def command(*arguments):
    """Return the command line of the service."""
    return [sys.executable, "-m", "app", *map(str, arguments)]


def environment(**changes):
    """Return this environment without settings of the service, and with changes."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    return variables | {"PYTHONPATH": str(CHECKOUT)} | changes
