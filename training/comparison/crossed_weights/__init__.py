"""Whole training runs of every framework from every framework's initial weights, on the same batches and noise."""
