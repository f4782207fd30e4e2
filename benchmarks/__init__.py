"""Measurements of this project, each started from the checkout as `python -m benchmarks.NAME`."""
