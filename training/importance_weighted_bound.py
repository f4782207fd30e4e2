"""The importance-weighted bound on log p(x), added up from log weights in any number of parts. Draws no samples."""

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray


class ImportanceWeightedBound:
    """log (1/k) sum_i p(x|z_i) p(z_i) / q(z_i|x) of each image, for k draws z_i from q(z|x).

    L_k of Burda, Grosse & Salakhutdinov (2016), section 3, arXiv:1509.00519. Weights are kept relative to the largest
    so far, because a weight itself underflows.
    """

    def __init__(self, images: int) -> None:
        self._samples = 0
        self._largest = np.full(images, -np.inf)
        self._sum = np.zeros(images)
        self._sum_of_squares = np.zeros(images)

    def add(self, log_weights: Float[ndarray, "samples images"]) -> None:
        """Add samples of log p(x|z) + log p(z) - log q(z|x), in nats."""
        largest = np.maximum(self._largest, log_weights.max(axis=0))
        scale = np.exp(self._largest - largest)
        weights: Float64[ndarray, "samples images"] = np.exp(log_weights - largest)
        self._sum = self._sum * scale + weights.sum(axis=0)
        self._sum_of_squares = self._sum_of_squares * scale**2 + (weights**2).sum(axis=0)
        self._largest = largest
        self._samples += len(log_weights)

    @property
    def bound(self) -> Float64[ndarray, "images"]:
        """The bound of each image, in nats."""
        return self._largest + np.log(self._sum / self._samples)

    @property
    def standard_error(self) -> Float64[ndarray, "images"]:
        """Standard error of each bound over its samples, by the delta method; needs two samples or more.

        Too small where `effective_samples` are few, and at most 1 nat whatever the truth.
        """
        mean = self._sum / self._samples
        variance = np.maximum(self._sum_of_squares / self._samples - mean**2, 0) / (self._samples - 1)
        return np.sqrt(variance) / mean

    @property
    def effective_samples(self) -> Float64[ndarray, "images"]:
        """Effective sample size of each image, (sum of weights)^2 / sum of squared weights: from 1 to the samples."""
        return self._sum**2 / self._sum_of_squares
