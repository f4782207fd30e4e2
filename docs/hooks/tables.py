"""Reference tables of the guide, from the code that they describe."""

import importlib.util
from types import ModuleType

from prometheus_client.parser import text_string_to_metric_families
from snippets import ROOT, escape
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from app.metrics import Metrics
from app.settings import CHECKPOINTS, PREFIX, Settings
from training.__main__ import cli
from training.checkpoint import weight_shapes
from training.config import ModelConfig


def settings() -> str:
    """Return a row for each setting of the service."""
    lines = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "`checkpoints/` of the project" if field.default == CHECKPOINTS else _shown(field.default)
        lines.append(f"| `{PREFIX}{name.upper()}` | {escape(str(field.description))} | {default} |")
    return "\n".join(lines)


def command_line() -> str:
    """Return the manual of `python -m training`, each command a section."""
    command = get_command(cli)
    for each in command.commands.values():
        each.short_help = each.help.partition("\n")[0]  # or it would be cut after some words
    text = get_docs_for_click(obj=command, ctx=Context(command), name="python -m training")
    # The page has a heading of its own, and defaults that we worded stand in brackets already.
    return text.partition("\n")[2].replace("[default: (", "[default: ").replace(")]\n", "]\n")


def checkpoint() -> str:
    """Return a row for each array of a checkpoint of the default model."""
    lines = ["| name | shape |", "|---|---|"]
    lines += [f"| `{name}` | {shape} |" for name, shape in weight_shapes(ModelConfig()).items()]
    return "\n".join(lines)


def metrics() -> str:
    """Return a row for each metric of the service's own."""
    text = Metrics(version="", frameworks=["jax"]).render().decode()
    lines = ["| metric | meaning | type |", "|---|---|---|"]
    for family in text_string_to_metric_families(text):
        # Beside each counter, a time: when it was made.
        if family.name.startswith("triptych_") and not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            lines.append(f"| `{name}` | {escape(family.documentation)} | {family.type} |")
    return "\n".join(lines)


def results() -> str:
    """Return the table of the committed checkpoints' results, the README's."""
    return _script("results_table").table()


def _shown(default: object) -> str:
    return "" if default in {None, ""} else f"`{default}`"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
