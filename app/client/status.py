"""`python -m app status`: the frameworks, models and counts of a running service, for people or as JSON."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Final

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.console import Console
from rich.table import Table

from app.client.command import Key, Url
from app.service_address import authorize
from training.counts import count_of

READY: Final = 0
NOT_READY: Final = 1
UNREACHABLE: Final = 2

_TIMEOUT_S: Final = 10

_PIPE_WIDTH: Final = 200
"""Columns of a table that no terminal shows."""

Samples = list[tuple[str, Mapping[str, str], float]]

cli: Final = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class StatusError(Exception):
    """The service can't be reached, or doesn't report its status."""


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """The state of a service."""

    url: str
    ready: bool
    default_framework: str | None
    frameworks: Sequence[Mapping[str, Any]]
    """As `/frameworks` has them, each with its `counts`."""

    models: Sequence[Mapping[str, Any]] | None
    """As `/models` has them; None for a service without that route."""

    counts: Mapping[str, float] = field(default_factory=dict)
    """Of the whole service, since its start."""


@cli.command()
def status(
    *,
    url: Url = "http://127.0.0.1:8000",
    api_key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the frameworks, models and counts of a running service. Exit code: 0 ready, 1 not ready, 2 unreachable."""
    try:
        service_status = read_status(url, api_key=api_key)
    except StatusError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(UNREACHABLE) from error
    if as_json:
        json.dump(asdict(service_status), sys.stdout)
        sys.stdout.write("\n")
    else:
        is_terminal = sys.stdout.isatty()
        print_status(
            service_status,
            Console(highlight=False, emoji=False, width=None if is_terminal else _PIPE_WIDTH),
            plain=not is_terminal,
        )
    raise typer.Exit(READY if service_status.ready else NOT_READY)


def read_status(url: str, *, api_key: str | None = None, transport: httpx.BaseTransport | None = None) -> ServiceStatus:
    """Return the status of the service at an address.

    Raises:
        StatusError: It can't be reached, or responds with something else.
    """
    try:
        headers = authorize(api_key)
    except ValueError as error:
        raise StatusError(str(error)) from error
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S, transport=transport) as http:
            frameworks = _get(http, "/frameworks").json()
            samples = _parse_samples(_get(http, "/metrics").text)
            models = http.get("/models")
            ready = http.get("/readyz").is_success
            return ServiceStatus(
                url=url,
                ready=ready,
                default_framework=frameworks["default"],
                frameworks=[
                    {**entry, "counts": _count_framework(samples, entry["framework"])}
                    for entry in frameworks["frameworks"]
                ],
                models=models.json()["models"] if models.is_success else None,
                counts=_count_service(samples),
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StatusError(f"{url} can't be reached: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StatusError(f"{url} doesn't respond as this service does: is it another one?") from error


def print_status(service_status: ServiceStatus, console: Console, *, plain: bool) -> None:
    """Print the status as tables, without lines and colors if plain."""
    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    for head in ("framework", "status", "version", "device", "checkpoint", "requests", "5xx", "mean ms", "queue"):
        table.add_column(head, justify="right" if head in {"requests", "5xx", "mean ms", "queue"} else "left")
    for entry in service_status.frameworks:
        counts, name = entry["counts"], entry["framework"]
        color = "green" if entry["ready"] else "red"
        table.add_row(
            f"{name} (default)" if name == service_status.default_framework else name,
            entry["status"] if plain else f"[{color}]{entry['status']}[/]",
            *(str(entry.get(key) or "-") for key in ("framework_version", "device", "checkpoint")),
            f"{counts['requests']:,.0f}",
            f"{counts['server_errors']:,.0f}",
            f"{counts['mean_ms']:.2f}",
            f"{counts['queue_images']:,.0f}",
        )
    console.print(table)
    for entry in service_status.frameworks:
        if entry.get("reason"):
            console.print(f"{entry['framework']}: {entry['reason']}", markup=False)
    if service_status.models:
        models = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
        heads = [key for key in ("framework", "name", "state", "checkpoint") if key in service_status.models[0]]
        for head in heads:
            models.add_column("model" if head == "name" else head)
        for model in service_status.models:
            models.add_row(*(str(model.get(head, "-")) for head in heads))
        console.print(models)
    counts = service_status.counts
    line = f"{count_of(int(counts['requests']), 'request', ',')}, {counts['rejected']:,.0f} rejected by full queues, "
    line += f"{counts['timed_out']:,.0f} past their deadline, {count_of(int(counts['connections']), 'connection', ',')}"
    if up_s := counts.get("up_s"):
        line += f", up {_duration(up_s)}"
    console.print(f"{service_status.url}: {'ready' if service_status.ready else 'not ready'}; {line}", markup=False)


def _get(http: httpx.Client, path: str) -> httpx.Response:
    response = http.get(path)
    if response.status_code in {401, 403}:
        raise StatusError(f"{http.base_url} wants an API key: pass --api-key, or set TRIPTYCH_API_KEY")
    response.raise_for_status()
    return response


def _parse_samples(text: str) -> Samples:
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


def _sum(samples: Samples, name: str, **labels: str) -> float:
    wanted = labels.items()
    return sum(
        value
        for sample_name, sample_labels, value in samples
        if sample_name == f"triptych_{name}" and wanted <= sample_labels.items()
    )


def _count_framework(samples: Samples, framework: str) -> dict[str, float]:
    errors = [
        value
        for name, labels, value in samples
        if name == "triptych_requests_total" and labels["framework"] == framework and labels["status"][0] == "5"
    ]
    seconds = _sum(samples, "request_seconds_sum", framework=framework)
    count = _sum(samples, "request_seconds_count", framework=framework)
    return {
        "requests": _sum(samples, "requests_total", framework=framework),
        "server_errors": sum(errors),
        "mean_ms": 1e3 * seconds / count if count else 0.0,
        "queue_images": _sum(samples, "queue_images", framework=framework),
    }


def _count_service(samples: Samples) -> dict[str, float]:
    counts = {
        "requests": _sum(samples, "requests_total"),
        "rejected": _sum(samples, "shed_total"),
        "timed_out": _sum(samples, "timed_out_total"),
        "connections": _sum(samples, "connections"),
    }
    started = [value for name, _, value in samples if name == "process_start_time_seconds"]
    return counts | {"up_s": time.time() - started[0]} if started else counts


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"
