"""Size of each implementation's code."""
