"""Where log lines go and what they look like: stderr, one line each."""

import logging.config


def configure_logs(level: str) -> None:
    """Log the service's and the server's lines from that level on, and others' warnings."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)-7s %(message)s", "datefmt": "%Y-%m-%d %H:%M:%S"}
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "app": {"level": level.upper()},
                # They would write a line for each broken form or picture that a client sends.
                "PIL": {"level": "CRITICAL"},
                "python_multipart": {"level": "CRITICAL"},
                "uvicorn.access": {"level": level.upper()},
                # It would warn at each reload that it traces anew.
                "tensorflow": {"level": "ERROR"},
                # At info it tells of every step of starting, which the service's own lines sum up, and as a warning of
                # each request that can't be parsed.
                "uvicorn.error": {"level": "ERROR" if level == "info" else level.upper()},
            },
        }
    )
