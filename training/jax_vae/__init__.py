"""The variational autoencoder in JAX: `flax.linen` modules, optax, one compiled scan for an epoch.

How JAX differs from the other two:
- A model holds no weights: `model.apply({"params": params}, ...)` is a pure function of them, and so is a train step,
  which returns a new state.
- `jax.vmap` turns a loss of one example into the losses of a batch; the other two are written for batches.
- Random numbers come from keys that are passed and split by hand; nothing is drawn from a hidden state.
- `jax.jit` compiles for each shape it meets: here a whole epoch at once, as one `jax.lax.scan`.
"""
