"""Errors of the client.

ClientError
├── ConnectionFailedError   no response: refused, reset, or timed out, until the deadline
└── ResponseError           a response with an error status, and its problem document
"""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Base of everything that a call raises once its arguments are valid."""


class ConnectionFailedError(ClientError):
    """The service sent no response before the deadline."""


class ResponseError(ClientError):
    """The service responded with an error status."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        """The problem document (RFC 9457): type, title, status, detail, request_id and, for validation, errors."""

        super().__init__(f"{status}: {problem.get('detail') or problem.get('title') or 'no detail'}")

    @property
    def request_id(self) -> str | None:
        """ID of the request in the server's log."""
        return self.problem.get("request_id")
