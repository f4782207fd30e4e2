"""The web page, used in a real browser."""
