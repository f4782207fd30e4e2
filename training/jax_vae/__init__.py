"""The variational autoencoder in JAX: `flax.linen` modules, optax, one compiled scan for an epoch.

How JAX differs from the other two:
- A model holds no weights: `model.apply({"params": params}, ...)` is a pure function of them. A train step is pure too,
  and returns a new state.
- `jax.vmap` turns a loss of one example into the losses of a batch; the other two are written for batches.
- Random numbers are drawn from keys that are passed and split by hand; no generator is hidden.
- `jax.jit` compiles for each new shape: here a whole epoch at once, as one `jax.lax.scan`.
- Several devices need no other code: the images and weights are placed on all of them and the batches divided, and the
  compiler adds the sums (`data_parallel.py`).

Questions that an expert may have:
- Why linen and not nnx? The article that this project follows is written for linen's `nn.Module`, and its explicit
  params are what differs from the other two. An nnx module holds its weights, as a Keras or PyTorch module does.
- Why `Partial` in the evaluator? It is a function and a pytree, so `jax.jit` traces its params and not their values.
- Why a copy of the params for the average? The state's buffers are donated, and no buffer may be donated twice.
"""

from training.process.environment import pin_environment

# JAX reads its flags once, when it is first imported.
pin_environment()
