"""A command's process: its environment variables, stop signals, output and stderr. Trains nothing."""
