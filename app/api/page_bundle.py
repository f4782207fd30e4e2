"""Bundles the page's modules into one script and its style sheets into one, compressed. Serves nothing.

The modules are written so that this needs no JavaScript parser: imports and exports begin a line, each module imports
only modules that don't import it, and no exported variable changes. A bundled module is a function that returns its
exports. Whole-line comments are removed.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

_IMPORT: Final = re.compile(r'^import (?P<names>\{[^}]*\}|\* as \w+) from "(?P<source>\.[^"]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?P<kind>const|class|function|async function) (?P<name>\w+)", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_COMMENT: Final = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)

_STYLE: Final = re.compile(r' *<link rel="stylesheet" href="web/(?P<path>[^"]+)">\n')
_SCRIPT: Final = re.compile(r'<script type="module" src="web/(?P<path>[^"]+)"></script>')

_HASH_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file whose name has a hash of its content, so that browsers may keep it forever."""

    name: str
    media_type: str
    content: bytes
    compressed: bytes


@dataclass(frozen=True, slots=True)
class PageBundle:
    """The page, and its files by name."""

    html: bytes
    files: dict[str, BundledFile]


@cache
def bundle_page(folder: Path) -> PageBundle:
    """Return the page of a folder, whose `index.html` lists its style sheets and its first module.

    Raises:
        ValueError: A module has an import or export of another form.
    """
    html = (folder / "index.html").read_text(encoding="utf-8")
    styles = [_read_style(folder, match["path"]) for match in _STYLE.finditer(html)]
    first = _SCRIPT.search(html)
    assert first is not None, "index.html has a module"
    style = _file("page", ".css", "text/css; charset=utf-8", "".join(styles))
    script = _file("page", ".js", "text/javascript; charset=utf-8", bundle_modules(folder, first["path"]))
    html = _STYLE.sub("", html)
    html = html.replace(
        first[0],
        f'<link rel="stylesheet" href="web/{style.name}">\n    <script type="module" src="web/{script.name}"></script>',
    )
    return PageBundle(html.encode(), {file.name: file for file in (style, script)})


def bundle_modules(folder: Path, first: str) -> str:
    """Return one script that does what the first module and all that it imports do.

    Raises:
        ValueError: A module has an import or export of another form.
        CycleError: Modules import each other.
    """
    root = folder.resolve()
    sources: dict[Path, str] = {}
    imports: dict[Path, list[Path]] = {}
    to_read = [root / first]
    while to_read:
        path = to_read.pop()
        if path in sources:
            continue
        sources[path] = path.read_text(encoding="utf-8")
        imports[path] = [(path.parent / match["source"]).resolve() for match in _IMPORT.finditer(sources[path])]
        to_read += imports[path]
    order = list(TopologicalSorter(imports).static_order())
    names = {path: f"$module{number}" for number, path in enumerate(order)}
    return "\n".join(_wrap(path, sources[path], names) for path in order)


def _wrap(path: Path, source: str, names: dict[Path, str]) -> str:
    """Return a module as a function that returns its exports."""

    def assign(match: re.Match[str]) -> str:
        target = match["names"].removeprefix("* as ").replace(" as ", ": ")
        return f"const {target} = {names[(path.parent / match['source']).resolve()]};\n"

    exports = ", ".join(match["name"] for match in _EXPORT.finditer(source))
    body = _EXPORT.sub(r"\g<kind> \g<name>", _IMPORT.sub(assign, _COMMENT.sub("", source)))
    if left := _LEFT.search(body):
        raise ValueError(f"{path.name}: {left[0]!r} can't be bundled: use a form that this module's docstring names")
    return f"const {names[path]} = (() => {{\n{body}return {{ {exports} }};\n}})();\n"


def _read_style(folder: Path, path: str) -> str:
    return _COMMENT.sub("", (folder / path).read_text(encoding="utf-8"))


def _file(stem: str, suffix: str, media_type: str, text: str) -> BundledFile:
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
    return BundledFile(f"{stem}-{digest}{suffix}", media_type, content, gzip.compress(content, mtime=0))
