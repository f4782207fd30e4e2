"""The variational autoencoder in TensorFlow: Keras 3 layers and model, `tf.GradientTape`, `tf.function`.

How TensorFlow differs from the other two:
- A layer creates its weights when it first sees an input, and a train step changes them in place
  and returns figures alone.
- Gradients are recorded: what runs inside a `tf.GradientTape` can be differentiated afterwards.
- `tf.function` traces Python into a graph, in which a loop over a tensor becomes a loop of the graph: here a whole
  epoch, of which XLA compiles the steps. Drawing and gathering stay outside, where TensorFlow uses all cores.
- Keras's Adam isn't the other two's: it adds epsilon before the bias correction of the second moment
  (Kingma & Ba 2015, end of section 2, arXiv:1412.6980). `train.py` puts it after, as in their algorithm 1.
"""

import os

# Keras chooses its backend once, when it is first imported, and would choose by a file in the user's home.
os.environ["KERAS_BACKEND"] = "tensorflow"
# Informational messages of the C++ runtime, which no Python logger can hold back.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
