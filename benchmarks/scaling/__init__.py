"""Measurements of the forms that the service takes beyond one process, and a model of how they grow."""
