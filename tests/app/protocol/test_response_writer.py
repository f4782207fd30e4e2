"""Answers on the wire: headers and body in one piece where that can be, and as uvicorn writes them where not."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.protocol.response_writer import SingleWriteSender

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"{}"}


class _Written:
    """A transport that keeps each piece that it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def close(self) -> None:
        self.pieces.append(b"closed")


def answer(*messages: dict[str, Any], method: str = "GET", keep_alive: bool = True) -> list[bytes]:
    """Return what is written to the client, piece by piece."""

    async def send() -> list[bytes]:
        transport: Any = _Written()
        cycle = RequestResponseCycle(
            scope={"method": method, "state": {"request_id": "an-id"}},  # no more of it is read
            transport=transport,
            flow=FlowControl(transport),
            logger=logging.getLogger(__name__),
            access_logger=logging.getLogger(__name__),
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=lambda: transport.write(b"done"),
        )
        answers = SingleWriteSender(cycle)
        for message in messages:
            await answers.send(message)
        assert cycle.response_complete
        return list(transport.pieces)

    return asyncio.run(send())


def test_answer_when_it_is_whole_is_one_piece() -> None:
    """Headers and body go to the operating system together."""
    pieces = answer(START, BODY)

    assert pieces == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\nx-request-id: an-id\r\n\r\n{}", b"done"]


def test_last_response_of_a_connection_is_one_piece_too() -> None:
    """It says that the connection ends, which it then does."""
    pieces = answer(START, BODY, keep_alive=False)

    assert pieces[0].endswith(b"\r\nconnection: close\r\n\r\n{}")
    assert pieces[1:] == [b"closed", b"done"]


@pytest.mark.parametrize(
    ("messages", "method", "keep_alive"),
    [
        ((START, BODY | {"body": b"{", "more_body": True}, BODY | {"body": b"}"}), "GET", True),
        ((START, BODY), "HEAD", True),
        ((START | {"headers": []}, BODY), "GET", True),
        ((START | {"headers": [*START["headers"], (b"connection", b"close")]}, BODY), "GET", True),
    ],
    ids=["streamed", "head", "of no length", "that says close"],
)
def test_answer_when_there_is_more_to_it_is_uvicorns(
    messages: tuple[dict[str, Any], ...], method: str, keep_alive: bool
) -> None:
    """A response that can't be joined is written by uvicorn, headers first."""
    pieces = answer(*messages, method=method, keep_alive=keep_alive)

    head, *rest = pieces
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"".join(rest).count(b"}") == (method != "HEAD")


def test_answer_when_a_header_has_a_line_end_is_refused() -> None:
    """A header can't smuggle in another."""
    start = START | {"headers": [(b"content-length", b"2"), (b"x-a", b"1\r\nx-b: 2")]}

    with pytest.raises(RuntimeError, match="Invalid HTTP header value"):
        answer(start, BODY)
