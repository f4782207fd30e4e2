"""Services of this folder's tests have a fast path, whatever tests that ran both ways have left."""

import pytest


@pytest.fixture(scope="package", autouse=True)
def fast_path():
    """Set that services have a fast path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIPTYCH_FAST_PATH", "true")
        yield
