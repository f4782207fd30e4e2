"""Processes of this machine, as Linux's /proc shows them."""

from pathlib import Path


def has_ended(pid):
    """Return whether a process is gone or a zombie, which only its parent still knows."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
