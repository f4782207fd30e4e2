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
                # At info it tells of every step of starting, which the service's own lines sum up.
                "uvicorn.error": {"level": "WARNING" if level == "info" else level.upper()},
            },
        }
    )
