"""Offline training of one variational autoencoder in three frameworks. Knows nothing of HTTP."""
