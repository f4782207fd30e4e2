"""Seconds, cores and memory of a training epoch."""
