"""The commands of `python -m training`, a file each: they parse, call and print."""
