"""The commands of `python -m training`, one module each: they parse, call and print."""
