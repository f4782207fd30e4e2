"""Checks that the metrics of an epoch are finite. Computes none."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.errors import DivergenceError

_ADVICE = "start again with a lower learning rate or a longer warm-up; what was saved before is left as it is"


def check_training(number: int, elbos: Float32[ndarray, "steps"], kls: Float32[ndarray, "steps"]) -> None:
    """Check the metrics of an epoch's batches.

    Raises:
        DivergenceError: One is NaN or infinite.
    """
    broken = np.flatnonzero(~(np.isfinite(elbos) & np.isfinite(kls)))
    if len(broken):
        first = int(broken[0])
        raise DivergenceError(
            f"epoch {number}, batch {first + 1} of {len(elbos)}: the loss is {-elbos[first]}; {_ADVICE}"
        )


def check_validation(number: int, elbo: float) -> None:
    """Check an epoch's validation ELBO.

    Raises:
        DivergenceError: It is NaN or infinite.
    """
    if not np.isfinite(elbo):
        raise DivergenceError(f"epoch {number}: the validation loss is {-elbo}; {_ADVICE}")
