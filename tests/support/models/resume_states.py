"""Resume states as a run saves them, with made-up arrays."""

from tests.support.checkpoints import MODEL, make_weights
from training.config import TrainConfig
from training.engine.resume_state import TrainingState
from training.engine.trainer import TrainerState

PARTS = ("weights", "ema_weights", "first_moments", "second_moments")
"""Names of the arrays in a trainer's state."""


def make_state(**changes):
    """Return the state of a run after its second epoch."""
    trainer = TrainerState(step=14, **{part: make_weights(seed=seed) for seed, part in enumerate(PARTS)})
    fields = {
        "trainer": trainer,
        "run": "one",
        "epoch": 2,
        "finished": False,
        "framework": "jax",
        "framework_version": "1.2.3",
        "device": "cpu",
        "model": MODEL,
        "config": TrainConfig(epochs=3, seed=7),
        "data_sha256": "0" * 64,
        "seconds": 12.5,
        "best": {"epochs": 1, "validation_elbo": -99.5},
    }
    return TrainingState(**(fields | changes))
