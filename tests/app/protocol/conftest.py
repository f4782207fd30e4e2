"""Runs every test of this folder both ways."""

from tests.support.clients.both_ways import client, way

__all__ = ["client", "way"]
