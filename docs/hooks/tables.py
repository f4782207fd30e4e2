"""Reference tables of the guide, generated from the code that they describe."""

import importlib.util
import re
from types import ModuleType

from prometheus_client.parser import text_string_to_metric_families
from snippets import ROOT, escape
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from app.observability.metrics import Metrics
from app.settings import CHECKPOINTS, PREFIX, Settings
from training.checkpoints.checkpoint import weight_shapes
from training.commands.application import cli
from training.config import ModelConfig


def settings() -> str:
    """Return a row for each setting of the service."""
    lines = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "`checkpoints/` of the project" if field.default == CHECKPOINTS else _shown(field.default)
        lines.append(f"| `{PREFIX}{name.upper()}` | {escape(str(field.description))} | {default} |")
    return "\n".join(lines)


def command_line() -> str:
    """Return the manual of `python -m training`, one section per command."""
    command = get_command(cli)
    for each in command.commands.values():
        each.short_help = each.help.partition("\n")[0]  # otherwise it is truncated after some words
    text = get_docs_for_click(obj=command, ctx=Context(command), name="python -m training")
    # The page has its own heading, and defaults with our wording are in brackets already.
    return text.partition("\n")[2].replace("[default: (", "[default: ").replace(")]\n", "]\n")


def checkpoint() -> str:
    """Return a row for each array of a checkpoint of the default model."""
    lines = ["| name | shape |", "|---|---|"]
    lines += [f"| `{name}` | {shape} |" for name, shape in weight_shapes(ModelConfig()).items()]
    return "\n".join(lines)


def changelog() -> str:
    """Return the changelog, one heading level down, with links to pages of the guide; other links become their text."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    body = text[text.index("\n## ") :].replace("\n### ", "\n#### ").replace("\n## ", "\n### ")
    return re.sub(r"\[([^]]*)\]\((?!https?:)(?:docs/)?([^)]*)\)", _link, body)


def metrics() -> str:
    """Return a row for each of the service's metrics."""
    text = Metrics(version="", frameworks=["jax"]).render().decode()
    lines = ["| metric | meaning | type |", "|---|---|---|"]
    for family in text_string_to_metric_families(text):
        # Each counter has a second metric: the time of its creation.
        if family.name.startswith("triptych_") and not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            lines.append(f"| `{name}` | {escape(family.documentation)} | {family.type} |")
    return "\n".join(lines)


def results() -> str:
    """Return the README's table of results of the bundled checkpoints."""
    return _script("results_table").table()


def _link(found: re.Match[str]) -> str:
    title, page = found.groups()
    is_page = page.endswith(".md") and (ROOT / "docs" / page).exists()
    return f"[{title}]({page})" if is_page else title


def _shown(default: object) -> str:
    return "" if default in {None, ""} else f"`{default}`"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
