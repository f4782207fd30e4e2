"""Endpoints, a file per group: thin, and without arithmetic."""
