"""Hooks that mkdocs calls while it builds the guide: generated parts, formulas, and folders in the navigation.

A line `<!-- generate: NAME WORDS -->` is replaced by the output of the generator with that name. An unknown name, or a
generator without a result, fails the build.
"""

import re
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any, Final

import http_reference
import mistakes
import snippets
import tables
from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

GENERATORS: Final[Mapping[str, Callable[..., str]]] = {
    "changelog": tables.changelog,
    "checkpoint": tables.checkpoint,
    "command-line": tables.command_line,
    "http": http_reference.http,
    "http-errors": http_reference.errors,
    "metrics": tables.metrics,
    "mistakes": mistakes.table,
    "results": tables.results,
    "settings": tables.settings,
    "source": snippets.source,
    "targets": mistakes.targets,
    "twins": snippets.twins,
}

_MARK: Final = re.compile(r"^<!-- generate: (.*?) -->$", re.MULTILINE)
_FORMULA: Final = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_config(config: Any) -> Any:
    """Replace each folder in the navigation by its pages, sorted by name."""
    config.nav = _expand(config.nav, Path(config.docs_dir))
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Insert the generated parts."""
    return _MARK.sub(lambda found: generate(found[1]), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Convert formulas to MathML, which browsers render without a script."""
    return _FORMULA.sub(
        lambda found: convert(unescape(found[2]), display="block" if found[1] == "div" else "inline"), html
    )


def generate(command: str) -> str:
    """Return the Markdown that replaces a `generate` comment.

    Raises:
        PluginError: The generator is unknown or has no result.
    """
    name, *words = command.split()
    if name not in GENERATORS:
        raise PluginError(f"nothing generates {name!r}: expected one of {', '.join(GENERATORS)}")
    try:
        return GENERATORS[name](*words)
    except LookupError as error:
        raise PluginError(f"<!-- generate: {command} -->: {error.args[0]}") from error


def _expand(nav: Any, docs: Path) -> Any:
    match nav:
        case list():
            return [_expand(item, docs) for item in nav]
        case dict():
            return {title: _expand(item, docs) for title, item in nav.items()}
        case str() if nav.endswith("/"):
            return [str(page.relative_to(docs)) for page in sorted((docs / nav).glob("*.md"))]
    return nav
