"""The variational autoencoder in PyTorch: `torch.nn.Module`, autograd, `torch.optim`.

How PyTorch differs from the other two:
- A module holds its weights, and a train step changes them in place and returns figures alone.
- A layer says how many inputs it has, and its kernel is (out, in): `weights.py` transposes.
- Gradients are gathered by `loss.backward()` into the weights themselves, and must be cleared before the next step.
- Operations run one by one, as Python meets them: an epoch is a Python loop over batches.
  Nothing is compiled: with the fused Adam, matrix products take nearly all of a step, and there is little left to win.
"""
