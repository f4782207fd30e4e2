"""Endpoints, a file per group; `app.api` parses and renders for them, `app.inference` computes."""
