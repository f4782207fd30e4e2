"""One client connection: limits, timeouts, writing a response. Knows no route."""
