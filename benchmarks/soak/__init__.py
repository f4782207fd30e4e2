"""A long mixed load on a running service."""
