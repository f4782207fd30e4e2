"""The ASGI callable around every route, and its checks: rate limit, API key, and CORS."""
