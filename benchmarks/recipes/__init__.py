"""The recipes that were tried, and how each trained."""
