"""How PyTorch runs operations, for a comparison: compiled or one by one, and on how many threads."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch

from training.errors import CompilerError
from training.pytorch_vae import train


@contextmanager
def compiled() -> Iterator[None]:
    """Run what is called meanwhile compiled: a train step by `torch.compile`, which the trainer doesn't use.

    Raises:
        CompilerError: There is no compiler; on a CPU, PyTorch needs a C++ compiler.
    """
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise CompilerError(f"torch.compile needs a C++ compiler, and there is no {compiler}: install one, or set CXX")
    with (
        TemporaryDirectory() as cache,  # what an earlier process compiled would make the first step look quick
        patch.dict(os.environ, {"TORCHINDUCTOR_CACHE_DIR": cache}),
        patch.object(train, "train_step", torch.compile(train.train_step)),
    ):
        yield


@contextmanager
def eager() -> Iterator[None]:
    """Run the operations of what is called meanwhile one by one: on a CPU the trainer's own way."""
    with patch.object(train, "_capture", lambda step, _: step):
        yield


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return torch.get_num_threads()
