"""The variational autoencoder in PyTorch: `torch.nn.Module`, autograd, `torch.optim`.

How PyTorch differs from the other two:
- A module holds its weights. A train step changes them in place and returns only metrics.
- A layer is given its number of inputs, and its kernel is (out, in): `weights.py` transposes.
- `loss.backward()` adds gradients to those that the weights already hold, so each step clears them first.
- Operations run one by one, as Python reaches them: an epoch is a Python loop over batches. On a GPU, where starting
  them takes longer than running them, `cuda_graph.py` records a step and replays it.
- Several devices are as many processes, which average their gradients during `loss.backward()` (`data_parallel.py`).

Questions that an expert may have:
- Why no `torch.compile`? On a CPU, matrix products and the fused Adam take nearly all of a step, and compiling takes
  many seconds. `python -m training compare --sections training` times both ways.
- Why average by hand? `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn` has a constant decay; this one
  grows over the first steps.
- Why is the learning rate a tensor, and why no scheduler? A CUDA graph repeats Python numbers as they were when it was
  recorded, so what changes between steps must be in tensors.
- Why no `DataLoader`? The images fit on the device, and indexing a tensor is faster than collating examples.
"""

from training.process.environment import pin_environment

# PyTorch and its libraries read the environment when they are first imported.
pin_environment()
