"""Progress of a run on the terminal: live, plain lines, quiet or JSON lines. Reports no fatal errors."""

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
from training.process.console import plain_console
from training.reporting.epoch_records import Record


class Report(Protocol):
    """Base of the reports: a context manager; call `start`, then `epoch` for each epoch, then `result`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, text: str) -> None:
        """Report the start of the run."""
        ...

    def epoch(self, record: Record) -> None:
        """Report a finished epoch."""
        ...

    def result(self, text: str, values: dict[str, Any]) -> None:
        """Report the result, as a line or as JSON values."""
        ...

    def note(self, text: str) -> None:
        """Print a hint that isn't a result."""
        ...

    def problem(self, text: str) -> None:
        """Print a non-fatal problem on stderr."""
        ...


def choose_report(framework: str, *, epochs: int, resumed_after: int = 0, quiet: bool, as_json: bool) -> Report:
    """Return the requested report; by default, a live one on a terminal and plain lines elsewhere.

    Args:
        framework: Name shown in the report.
        epochs: Total epochs of the run.
        resumed_after: Epochs completed before this process.
        quiet: Print only the result.
        as_json: Print one JSON object per line on stdout: each epoch, then the result.

    Raises:
        ConfigError: Both `quiet` and `as_json` are set.
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
    """Prints only the result."""

    def __init__(self) -> None:
        self._console = plain_console()

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

    def result(self, text: str, values: dict[str, Any]) -> None:  # noqa: ARG002 -- only JSON has the values
        """Print the line."""
        self._console.print(text)

    def note(self, text: str) -> None:
        """Print nothing."""

    def problem(self, text: str) -> None:
        """Print the line on stderr."""
        plain_console(stderr=True).print(text)


class PlainReport(QuietReport):
    """Prints a line per event, for logs, pipes and files."""

    def __init__(self, *, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs
        self._ended: float | None = None

    def start(self, text: str) -> None:
        """Print the line."""
        self._console.print(text)

    def epoch(self, record: Record) -> None:
        """Print a line with the epoch's metrics and, from the second epoch on, the estimated remaining time."""
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
    """Shows a progress bar and the metrics of the last epoch, updated in place."""

    def __init__(self, framework: str, *, epochs: int, resumed_after: int) -> None:
        super().__init__(epochs=epochs)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epoch" if epochs == 1 else "epochs"),
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
        """Advance the bar, and show the epoch's metrics below it."""
        if record["best"]:
            self._best = record
        self._bar.update(self._task, completed=record["epoch"], speed=f"{record['images_per_second']:,.0f} images/s")
        self._live.update(Group(self._bar, _table(record, self._best)), refresh=True)

    def result(self, text: str, values: dict[str, Any]) -> None:
        """Stop the bar and print the line below it."""
        self._live.stop()
        super().result(text, values)


class JsonReport(QuietReport):
    """Prints JSON lines on stdout: one object per epoch, then the result."""

    def __init__(self, framework: str) -> None:
        super().__init__()
        self._framework = framework

    def epoch(self, record: Record) -> None:
        """Print the epoch's metrics."""
        self._write("epoch", record)

    def result(self, text: str, values: dict[str, Any]) -> None:  # noqa: ARG002 -- JSON has no text
        """Print the values."""
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
    minutes, remainder = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{remainder:02}"
