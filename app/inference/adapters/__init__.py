"""One adapter per framework: NumPy in, NumPy out."""
