"""The models that are served: their checkpoints, states, loading and readiness. Computes nothing."""
