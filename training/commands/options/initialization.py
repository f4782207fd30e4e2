"""The option `--initialization` of `train`: the distribution of the initial weights."""

from typing import Annotated, Literal

import typer

InitializationOption = Annotated[
    Literal["glorot", "pytorch"] | None,
    typer.Option(
        help="Initial weights: Glorot-uniform kernels and zero biases, or the default of PyTorch's layers.",
        show_default="glorot",
    ),
]
