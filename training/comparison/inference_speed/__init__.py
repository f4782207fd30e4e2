"""Latency, start-up time and disk usage of inference."""
