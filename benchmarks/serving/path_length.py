"""Counts the files of `app/` that a request enters, and returns to one that it has left.

    python -m benchmarks.serving.path_length

A file is entered when one of its functions is called after a function of another file. The second of two requests to
`/reconstruct` is counted, so that caches are filled: both ways, for the event loop's thread and for the model's. Not
counted are methods with double underscores such as `__init__`, the server's ticks, and the end of the connection.
"""

import sys
import threading
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any, Final

import httpx

from app.main import create_app
from app.server.http_server import Server
from app.server.sockets import bind_sockets, listen
from app.settings import Settings
from benchmarks.command_line import make_parser
from benchmarks.serving.cases import Case
from benchmarks.serving.numpy_registry import numpy_registry
from training.counts import count_of

APP = Path(__file__).parents[2] / "app"


_OTHER_WORK: Final = frozenset({"on_tick", "connection_lost"})
"""Functions that don't work for a request, nor do those that they call."""


class Recorder:
    """Notes the file of each function of `app/` that is called, by thread."""

    def __init__(self) -> None:
        self.is_on = False
        self.calls: dict[str, list[str]] = {}
        self._seen: set[FrameType] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Note a call, as a profile function of Python."""
        path = Path(frame.f_code.co_filename)
        # A coroutine that is resumed isn't called again.
        if self.is_on and event == "call" and path.is_relative_to(APP) and frame not in self._seen:
            self._seen.add(frame)
            if frame.f_code.co_name.startswith("__") or _works_for_others(frame):
                return
            name = threading.current_thread().name
            self.calls.setdefault(name, []).append(str(path.relative_to(APP)))

    def stays(self, thread: str) -> list[str]:
        """Return the files in the order in which they were entered."""
        return [path for path, _ in groupby(self.calls.get(thread, []))]


def _works_for_others(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _OTHER_WORK:
            return True
        frame = frame.f_back
    return False


def main() -> None:
    """Print the counts of both ways and both kinds of body."""
    make_parser("benchmarks.serving.path_length", __doc__).parse_args()
    for is_fast in (True, False):
        for kind in ("npy", "JSON"):
            recorder = _record(kind, is_fast=is_fast)
            for thread in ("server", "pytorch"):
                stays = recorder.stays(thread)
                files = list(dict.fromkeys(stays))
                way = "fast path" if is_fast else "ASGI"
                returns = count_of(len(stays) - len(files), "return")
                print(f"{way}, {kind}, {thread}: {count_of(len(files), 'file')}, {returns}")
                print("  " + " > ".join(stays))


def _record(kind: str, *, is_fast: bool) -> Recorder:
    recorder = Recorder()
    settings = Settings(frameworks=("pytorch",), fast_path=is_fast)
    registry = numpy_registry(settings)
    sockets = bind_sockets("127.0.0.1", 0)
    listen(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    threading.setprofile(recorder)
    server = Server(create_app(settings, registry))
    thread = threading.Thread(target=_run, args=(server, sockets, recorder), name="server")
    thread.start()
    request = Case(kind, "pytorch").request(url)
    while httpx.get(f"{url}/readyz").status_code != 200:
        pass
    with httpx.Client() as client:
        for is_counted in (False, True):
            recorder.is_on = is_counted
            client.post(request.url, headers=dict(request.headers), content=request.body).raise_for_status()
    recorder.is_on = False
    server.stop()
    thread.join()
    threading.setprofile(None)
    return recorder


def _run(server: Server, sockets: Any, recorder: Callable[..., None]) -> None:
    sys.setprofile(recorder)
    server.run(sockets=sockets)


if __name__ == "__main__":
    main()
