"""The log handler that writes an iteration's lines together."""

import asyncio
import io
import logging
import threading

import pytest

from app.observability.batching_handler import BatchingHandler


class Stream(io.StringIO):
    """A stream that keeps each write."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        """Keep one write."""
        self.writes.append(text)
        return len(text)


@pytest.fixture
def stream():
    """The stream of the handler."""
    return Stream()


@pytest.fixture
def logger(stream):
    """A logger with the handler alone."""
    handler = BatchingHandler()
    handler.setStream(stream)
    logger = logging.getLogger("test")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [handler]
    return logger


def test_lines_of_an_iteration_are_written_together(logger, stream):
    """Nothing is written before the iteration ends, and then all lines in one write."""

    async def log():
        logger.info("first")
        logger.info("second")
        assert stream.writes == []
        await asyncio.sleep(0)
        assert stream.writes == ["first\nsecond\n"]
        logger.info("third")

    asyncio.run(log())

    assert stream.writes == ["first\nsecond\n", "third\n"]


def test_warning_is_written_at_once_behind_the_lines_before_it(logger, stream):
    """Whoever reads the log of a crash finds its reason."""

    async def log():
        logger.info("first")
        logger.warning("second")
        assert stream.writes == ["first\nsecond\n"]

    asyncio.run(log())

    assert "".join(stream.writes) == "first\nsecond\n"


def test_line_of_another_thread_is_written_at_once(logger, stream):
    """Only the event loop's thread has an iteration that ends."""

    async def log():
        logger.info("first")
        thread = threading.Thread(target=logger.info, args=("second",))
        thread.start()
        thread.join()
        assert stream.writes == ["first\nsecond\n"]

    asyncio.run(log())


def test_line_without_an_event_loop_is_written_at_once(logger, stream):
    """As the service's start is logged."""
    logger.info("first")

    assert stream.writes == ["first\n"]


def test_line_that_waits_is_written_when_logging_ends(logger, stream):
    """The process may end within the iteration."""

    async def log():
        logger.info("first")
        logging.shutdown([lambda: logger.handlers[0]])
        assert stream.writes == ["first\n"]

    asyncio.run(log())


def test_closed_stream_raises_nothing(logger, stream):
    """As in Python's own handler: a service whose stderr is gone goes on."""
    stream.close()
    stream.write = lambda text: io.StringIO.write(stream, text)

    async def log():
        logger.info("first")

    asyncio.run(log())
    logger.error("second")


def test_wrong_arguments_of_a_record_raise_nothing(logger, stream, capsys):
    """They are reported, as Python's own handler reports them."""
    record = logging.makeLogRecord({"msg": "%d", "args": ("no number",), "levelno": logging.INFO})

    logger.handlers[0].handle(record)

    assert "--- Logging error ---" in capsys.readouterr().err
    assert "".join(stream.writes) == ""


def test_line_is_written_after_another_loop_ended_before_it_wrote(logger, stream):
    """A loop that ends with a line unwritten holds up no line of the next one."""
    ended = asyncio.new_event_loop()
    ended.call_soon(logger.info, "first")
    ended.call_soon(ended.stop)
    ended.run_forever()
    ended.close()
    assert stream.writes == []

    async def log():
        logger.info("second")
        await asyncio.sleep(0)

    asyncio.run(log())

    assert stream.writes == ["first\nsecond\n"]
