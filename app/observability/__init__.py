"""Metrics, timings, request IDs and the log configuration."""
