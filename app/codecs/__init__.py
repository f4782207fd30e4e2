"""Bytes to NumPy arrays and back: JSON, npy and pictures. No tensors, no routes, no settings."""
