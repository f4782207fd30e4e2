"""Bytes to NumPy arrays and back: JSON, npy, npz and image files. Knows no routes and no settings."""
