"""A run on the terminal, in one of four ways: live, plain lines, quiet, JSON lines. Errors are told elsewhere."""

import json
import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from training.errors import ConfigError
from training.reporting.records import Record


class Report(Protocol):
    """Where a run says how it goes: a context in which `start`, `epoch` for each, and `result` are called."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, text: str) -> None:
        """Say what begins."""
        ...

    def epoch(self, record: Record) -> None:
        """Say what an epoch came to."""
        ...

    def result(self, text: str, values: dict[str, Any]) -> None:
        """Say what the run came to: the one line, or JSON values, that everybody wants."""
        ...

    def note(self, text: str) -> None:
        """Say what helps, and isn't a result."""
        ...


def choose_report(framework: str, *, epochs: int, resumed_after: int = 0, quiet: bool, as_json: bool) -> Report:
    """Return the report that was asked for; without a wish, a live one on a terminal and plain lines elsewhere.

    Args:
        framework: Its name stands in the report.
        epochs: How many the whole run has.
        resumed_after: How many of them were done before.
        quiet: Say nothing but the result.
        as_json: One JSON object a line on stdout for each epoch and the result, and nothing else there.

    Raises:
        ConfigError: Both were asked for.
    """
    if quiet and as_json:
        raise ConfigError("--quiet and --json: expected one of them; --json says nothing but JSON already")
    if quiet:
        return QuietReport()
    if as_json:
        return JsonReport(framework)
    if Console().is_terminal:
        return LiveReport(framework, epochs=epochs, resumed_after=resumed_after)
    return PlainReport(epochs=epochs)


class QuietReport:
    """The result alone."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def start(self, text: str) -> None:
        """Say nothing."""

    def epoch(self, record: Record) -> None:
        """Say nothing."""

    def result(self, text: str, values: dict[str, Any]) -> None:  # noqa: ARG002 -- JSON's
        """Print the line."""
        self._console.print(text)

    def note(self, text: str) -> None:
        """Say nothing."""


class PlainReport(QuietReport):
    """A line for everything, as it happens: for logs, pipes and files."""

    def __init__(self, *, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs
        self._ended: float | None = None

    def start(self, text: str) -> None:
        """Print the line."""
        self._console.print(text)

    def epoch(self, record: Record) -> None:
        """Print a line with the epoch's figures and, from the second on, the time that the rest will take."""
        now = time.monotonic()
        eta = f"ETA {_clock((now - self._ended) * (self._epochs - record['epoch']))}" if self._ended else "ETA -:--:--"
        self._ended = now
        number = f"{record['epoch']:>{len(str(self._epochs))}}/{self._epochs}"
        parts = [
            f"{part}: loss {-record[f'{part}_elbo']:7.2f}, ELBO {record[f'{part}_elbo']:8.2f}, "
            f"KL {record[f'{part}_kl_divergence']:5.2f}"
            for part in ("train", "validation")
        ]
        line = [f"epoch {number}", f"{record['seconds']:5.2f} s", f"{record['images_per_second']:6.0f} images/s", eta]
        self._console.print("  ".join([*line, *parts, *(["saved"] if record["best"] else [])]))

    def note(self, text: str) -> None:
        """Print the line."""
        self._console.print(text)


class LiveReport(PlainReport):
    """A bar and the figures of the last epoch, in place; they stay when the run ends."""

    def __init__(self, framework: str, *, epochs: int, resumed_after: int) -> None:
        super().__init__(epochs=epochs)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[speed]}"),
            console=self._console,
            speed_estimate_period=600,  # an epoch may take longer than rich's 30 s
        )
        self._task = self._bar.add_task(framework, total=epochs, completed=resumed_after, speed="")
        self._best: Record | None = None
        self._live = Live(self._bar, console=self._console, refresh_per_second=2)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def epoch(self, record: Record) -> None:
        """Move the bar, and show the epoch's figures below it."""
        if record["best"]:
            self._best = record
        self._bar.update(self._task, completed=record["epoch"], speed=f"{record['images_per_second']:,.0f} images/s")
        self._live.update(Group(self._bar, _table(record, self._best)), refresh=True)

    def result(self, text: str, values: dict[str, Any]) -> None:
        """Print the line below the bar, which stands still from now on."""
        self._live.stop()
        super().result(text, values)


class JsonReport(QuietReport):
    """A JSON object a line on stdout: one for each epoch, one for the result."""

    def __init__(self, framework: str) -> None:
        super().__init__()
        self._framework = framework

    def epoch(self, record: Record) -> None:
        """Write the epoch's figures."""
        self._write("epoch", record)

    def result(self, text: str, values: dict[str, Any]) -> None:  # noqa: ARG002 -- the others'
        """Write the values."""
        self._write("result", values)

    def _write(self, event: str, values: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps({"event": event, "framework": self._framework, **values}) + "\n")
        sys.stdout.flush()


def _table(record: Record, best: Record | None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("nats per image", style="dim", header_style="dim")
    table.add_column("ELBO", justify="right", min_width=8)
    table.add_column("KL", justify="right", min_width=6)
    table.add_column("", style="dim")
    for part in ("train", "validation"):
        elbo, kl = record[f"{part}_elbo"], record[f"{part}_kl_divergence"]
        note = f"best {best['validation_elbo']:.2f}, epoch {best['epoch']}" if best and part == "validation" else ""
        table.add_row(part, f"{elbo:.2f}", f"{kl:.2f}", note)
    return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
