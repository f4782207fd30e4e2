"""The server process: sockets, workers, signals, shutdown."""
