"""A typed client of the service, sync and async: NumPy arrays in and out. Imports no server and no framework."""

from app.client.async_client import AsyncClient
from app.client.client import Client
from app.client.errors import ClientError, ConnectionFailedError, ResponseError
from app.client.operations import Comparison, Posterior, Score

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Comparison",
    "ConnectionFailedError",
    "Posterior",
    "ResponseError",
    "Score",
]
