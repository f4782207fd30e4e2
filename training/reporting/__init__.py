"""Reporting of runs: terminal progress, metrics and event files, figures. Trains nothing."""

import sys
from types import ModuleType

# Without a module of this name TensorBoard's writer would import TensorFlow wherever it is installed: seconds and
# hundreds of megabytes for a run in JAX or PyTorch. It is TensorBoard's own switch, for builds without TensorFlow.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
