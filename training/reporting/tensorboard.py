"""TensorBoard's event files: scalars and pictures by epoch, written by TensorBoard's own writer, without TensorFlow."""

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

RESULT: Final = "result/"
"""Prefixes of the tags written at the end of a run; a resumed run replaces them."""

_FILES: Final = "events.out.tfevents.*"

_VERSION: Final = "brain.Event:2"


class EventLog:
    """Event file of one run; every call returns after its events are written to disk."""

    def __init__(self, folder: Path, *, resumed_after: int) -> None:
        """Keep the events up to an epoch (0: none), and append to them.

        Kept events are copied to a new file and the old one is removed, so that no reader sees a step twice.
        """
        old = sorted(folder.glob(_FILES))
        # By step and tag: a process killed before it removed the old file leaves duplicates.
        events = {(event.step, event.summary.value[0].tag): event for path in old for event in _read(path)}
        # TensorBoard's own file writer uses a thread, in which an error such as a full disk is lost.
        file = folder / _FILES.replace("*", str(time.time_ns()))
        self._writer = RecordWriter(file.open("wb"))
        self._write(Event(wall_time=time.time(), file_version=_VERSION))
        for (step, tag), event in events.items():
            if 0 < step <= resumed_after and not tag.startswith(RESULT):
                self._write(event)
        self._writer.flush()
        for path in old:
            path.unlink()

    def add_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write scalars by tag."""
        self._add(step, [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()])

    def add_picture(self, step: int, tag: str, png: bytes) -> None:
        """Write a picture, the content of a PNG file."""
        width, height = Image.open(io.BytesIO(png)).size
        image = Summary.Image(width=width, height=height, encoded_image_string=png)
        self._add(step, [Summary.Value(tag=tag, image=image)])

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _add(self, step: int, values: list[Summary.Value]) -> None:
        self._write(Event(step=step, wall_time=time.time(), summary=Summary(value=values)))
        self._writer.flush()

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())


def _read(path: Path) -> list[Event]:
    """Return the summaries of a file, without a truncated last record of a killed process."""
    return [event for event in LegacyEventFileLoader(str(path)).Load() if event.summary.value]
