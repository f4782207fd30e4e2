"""The variational autoencoder in TensorFlow: Keras 3 layers and model, `tf.GradientTape`, `tf.function`.

How TensorFlow differs from the other two:
- A layer creates its weights when it is first called. A train step changes them in place and returns only metrics.
- Gradients are recorded: what runs inside a `tf.GradientTape` can be differentiated afterwards.
- `tf.function` traces Python into a graph, in which a loop over a tensor becomes a loop of the graph: here a whole
  epoch, whose steps XLA compiles. Drawing and gathering stay outside, where TensorFlow uses all cores.
- Keras's Adam differs from the other two; `adam.py` has theirs.
- On several devices, a strategy copies each variable to all of them and runs the step once for each
  (`data_parallel.py`).

Questions that an expert may have:
- Why `tf.exp` and `tf.nn.relu` instead of `keras.ops`? This folder shows TensorFlow: `tf.GradientTape` ties the
  training to it anyway, so operations for several backends would promise what the rest doesn't keep.
- Why can't `model.save` save the model? `call` takes two tensors, the noise being one, and there is no `get_config`.
  Weights are saved in the project's own format, which all three frameworks read.
- Why no `compile` and `fit`? They would hide the step that the three folders compare.
- Doesn't `tf.function` retrace for a new state? Yes, once for each state, of which a run has one. A `tf.Module` would
  retrace as well.
- Why average by hand? The `ema_momentum` of Keras's optimizers is constant; this decay grows over the first steps.
- Why private attributes in `adam.py`? Keras offers no public way to read an optimizer's moments. A test fails if they
  are renamed.
"""

from training.process.environment import pin_environment
from training.process.stderr_filter import drop_stderr_lines

# Keras chooses its backend and float type once, when it is first imported.
pin_environment()

# TensorFlow 2.21 writes these at each import, before it reads its log level.
with drop_stderr_lines(r"before absl::InitializeLog\(\) is called|oneDNN custom operations are on"):
    import tensorflow as tf  # noqa: F401 -- imported here first
