"""Log configuration: one line per record on stderr, as text for people or as JSON for programs."""

import json
import logging
import logging.config
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import orjson

from app.observability.batching_handler import BatchingHandler

LogFormat = Literal["auto", "text", "json"]

_PLAIN: Final = frozenset("-./:_")

_IN_MESSAGE: Final = frozenset({"method", "path", "route", "status"})
"""Fields of a request that its message has already."""


def configure_logs(level: str, log_format: LogFormat = "auto") -> None:
    """Log the service and the server from this level on, and warnings of other libraries.

    `auto` is text on a terminal, and JSON elsewhere.
    """
    # No line shows them; see "Optimization" in https://docs.python.org/3/howto/logging.html.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    if log_format == "auto":
        log_format = "text" if sys.stderr.isatty() else "json"
    formatter = TextFormatter if log_format == "text" else JsonFormatter
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter}},
            "handlers": {"stderr": {"()": BatchingHandler, "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "app": {"level": level.upper()},
                # They would log a line for each broken form, image file or header that a client sends.
                "PIL": {"level": "CRITICAL"},
                "python_multipart": {"level": "CRITICAL"},
                "opentelemetry.baggage": {"level": "CRITICAL"},
                "opentelemetry.trace.propagation": {"level": "CRITICAL"},
                "opentelemetry.trace.span": {"level": "CRITICAL"},
                # It would warn at each reload that functions are traced again.
                "tensorflow": {"level": "ERROR"},
                # At level info it logs each step of the start, which the service's own lines summarize, and a warning
                # for each request that can't be parsed.
                "uvicorn.error": {"level": "ERROR" if level == "info" else level.upper()},
            },
        }
    )


class TextFormatter(logging.Formatter):
    """A line for people; the fields of a request follow its message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        """Return the line without a traceback."""
        fields = getattr(record, "fields", {})
        pairs = [f"{name}={_quoted(value)}" for name, value in fields.items() if name not in _IN_MESSAGE]
        return " ".join([super().formatMessage(record), *pairs])


class JsonFormatter(logging.Formatter):
    """One JSON object per line, a traceback included; all but ASCII is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = {
            "time": f"{_format_second(int(record.created))}.{int(record.msecs):03}+00:00",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return _dump_ascii(document)


@lru_cache(maxsize=1)
def _format_second(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _dump_ascii(document: dict[str, object]) -> str:
    try:
        text = orjson.dumps(document)
    except TypeError:  # a lone surrogate, a huge integer, or an object
        return json.dumps(document, default=str)
    return text.decode() if text.isascii() else json.dumps(document)


def _quoted(value: object) -> str:
    text = str(value)
    return text if text.isascii() and all(char.isalnum() or char in _PLAIN for char in text) else json.dumps(text)
