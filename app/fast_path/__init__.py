"""Small requests to one model, handled without an ASGI task; optional: the application handles them alike."""
