"""Requests to a server of the Open Inference Protocol, by HTTP with binary tensors. Knows no model of ours."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import urllib3
from numpy import ndarray
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from app.errors import OverloadedError
from app.inference.adapters.base import AdapterError

_HEADER_LENGTH: Final = "Inference-Header-Content-Length"

_CONNECT_TIMEOUT_S: Final = 5.0

UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, RecursionError)
"""Errors of reading a response that isn't the protocol's."""


class RefusedError(AdapterError):
    """The backend responded with an error status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"its backend responded with {status}: {reason}")
        self.status = status


class RemoteBackend:
    """One server; several threads may call it at once."""

    def __init__(self, url: str, *, framework: str, key: str | None, timeout_s: float | None, concurrency: int) -> None:
        """Connect to nothing yet.

        Args:
            url: Address of the server, such as http://host:8000.
            framework: Canonical name, for messages.
            key: API key, if the server requires one.
            timeout_s: Longest wait for a response; None waits for ever.
            concurrency: Requests at once, each on a connection that is kept.
        """
        self._url = url.rstrip("/")
        self._framework = framework
        self._headers = {"X-API-Key": key} if key else {}
        # Pure functions: a request may be sent again, but by us alone, never after a timeout.
        self._pool = urllib3.PoolManager(
            maxsize=concurrency, retries=False, timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=timeout_s)
        )

    def get_json(self, path: str) -> Any:
        """Return the JSON value at a path.

        Raises:
            AdapterError: The server can't be reached, or responds with an error.
            OverloadedError: It has no capacity.
            ValueError: The response isn't JSON.
        """
        return json.loads(self._request("GET", path, headers=self._headers).data)

    def infer(
        self, model: str, inputs: Mapping[str, ndarray], outputs: Sequence[str], *, headers: Mapping[str, bytes]
    ) -> tuple[list[ndarray], dict[str, Any]]:
        """Return outputs of a model, and the parameters of its response; errors are those of `get_json`.

        Args:
            model: Its name there.
            inputs: Arrays by name, sent as float32.
            outputs: Names of the outputs.
            headers: Further headers of the request.
        """
        wire = {name: np.ascontiguousarray(array, "<f4") for name, array in inputs.items()}
        message = {
            "inputs": [
                {
                    "name": name,
                    "shape": array.shape,
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": array.nbytes},
                }
                for name, array in wire.items()
            ],
            "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in outputs],
        }
        head = json.dumps(message, separators=(",", ":")).encode()
        response = self._request(
            "POST",
            f"/v2/models/{model}/infer",
            body=b"".join([head, *(array.data for array in wire.values())]),
            headers={
                **headers,
                **self._headers,
                "Content-Type": "application/octet-stream",
                _HEADER_LENGTH: str(len(head)),
            },
        )
        try:
            return _parse(response, outputs)
        except UNREADABLE as error:
            raise AdapterError(f"its backend sent a response that can't be read ({type(error).__name__})") from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _request(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            try:
                response = self._pool.request(method, self._url + path, **options)
            except (NewConnectionError, ProtocolError):  # refused, or a kept connection that was closed meanwhile
                response = self._pool.request(method, self._url + path, **options)
        except NewConnectionError as error:  # for urllib3, a kind of timeout
            reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else type(error).__name__
            raise AdapterError(f"its backend can't be reached ({reason})") from error
        except PoolTimeoutError as error:
            raise AdapterError("its backend didn't respond in time") from error
        except DecodeError as error:
            raise AdapterError("its backend sent a response whose compression is broken") from error
        except HTTPError as error:
            raise AdapterError(f"its backend can't be reached ({type(error).__name__})") from error
        if response.status == 429:
            retry_after = response.headers.get("Retry-After", "")
            seconds = int(retry_after) if retry_after.isdecimal() else 1
            raise OverloadedError(
                f"the backend of {self._framework} has a full queue or a rate limit: send this again in {seconds} s",
                retry_after_s=seconds,
            )
        if response.status != 200:
            raise RefusedError(response.status, _error_of(response))
        return response


def _parse(response: urllib3.BaseHTTPResponse, names: Sequence[str]) -> tuple[list[ndarray], dict[str, Any]]:
    content = memoryview(response.data)
    length = int(response.headers[_HEADER_LENGTH])
    message = json.loads(bytes(content[:length]))
    arrays: dict[str, ndarray] = {}
    offset = length
    for output in message["outputs"]:
        nbytes = output["parameters"]["binary_data_size"]
        # The offset is as odd as the text is long; a copy is aligned.
        values = np.frombuffer(bytes(content[offset : offset + nbytes]), "<f4")
        arrays[output["name"]] = values.reshape(output["shape"])
        offset += nbytes
    return [arrays[name] for name in names], dict(message.get("parameters", {}))


def _error_of(response: urllib3.BaseHTTPResponse) -> str:
    try:
        return str(json.loads(response.data)["error"])[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no reason given"
