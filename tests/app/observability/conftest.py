"""Runs every test of this folder both ways, and collects the spans of services that it starts."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.observability.spans import SpanTracer
from tests.support.clients.both_ways import client, way

__all__ = ["client", "way"]


@pytest.fixture
def exporter(monkeypatch):
    """OpenTelemetry's own exporter into memory, as the exporter of each service that a test makes."""
    memory = InMemorySpanExporter()

    def create_tracer(variables, *, version):
        provider = TracerProvider(shutdown_on_exit=False)
        return SpanTracer(provider, SimpleSpanProcessor(memory))

    monkeypatch.setattr("app.main.create_tracer", create_tracer)
    return memory
