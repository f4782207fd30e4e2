"""Measurements of the service beside an endpoint that does nothing. Tests nothing."""
