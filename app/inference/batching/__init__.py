"""A framework's thread, and the queue and scheduler in front of it."""
