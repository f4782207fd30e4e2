"""The HTTP API: parses requests, runs operations on models, and renders responses."""
