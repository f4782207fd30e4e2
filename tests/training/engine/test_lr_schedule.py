"""The learning rate over a run."""

import numpy as np
import pytest

from training.config import TrainConfig
from training.engine.lr_schedule import learning_rates


def test_rate_rises_linearly_then_falls_as_a_cosine() -> None:
    """It reaches the highest rate at the end of warm-up, half of it midway through the rest, and 0 at the end."""
    config = TrainConfig(epochs=10, learning_rate=0.5, warmup_epochs=2)

    rates = learning_rates(config, steps_per_epoch=10)

    assert rates.shape == (100,)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates[:20], 0.5 * np.arange(1, 21) / 20, rtol=1e-6)
    assert rates[59] == pytest.approx(0.25)
    assert rates[-1] == pytest.approx(0, abs=1e-7)
    assert (np.diff(rates[19:]) < 0).all()


def test_rate_begins_at_the_highest_when_there_is_no_warmup() -> None:
    """Without warm-up the cosine begins at once."""
    rates = learning_rates(TrainConfig(epochs=1, learning_rate=0.5, warmup_epochs=0), steps_per_epoch=1000)

    assert rates[0] == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_rate_reaches_its_height_when_the_run_is_shorter_than_the_warmup(steps: int) -> None:
    """Warm-up takes half of a short run at most."""
    rates = learning_rates(TrainConfig(epochs=1, learning_rate=1.0, warmup_epochs=5), steps_per_epoch=steps)

    assert np.isfinite(rates).all()
    assert rates.max() > 0.4 or steps == 1
