"""The options of the commands of `python -m training`, by subject."""
