"""Messages of the protocol: bytes to checked requests and back. Knows no route, and no model but its signature."""
