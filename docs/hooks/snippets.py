"""Excerpts of the project's source by name, so that the guide never contains copies of code."""

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Final

from training.frameworks import FRAMEWORKS, trainable_frameworks
from training.source_alignment import TWINS

ROOT: Final = Path(__file__).parents[2]


def twins(file: str, *names: str) -> str:
    """Return a tab per framework with the definitions of these names, which the twin files share."""
    tabs = [
        f'=== "{FRAMEWORKS[framework].title}"\n\n{indent(source(f"training/{framework}_vae/{file}", *names), "    ")}'
        for framework in trainable_frameworks()
    ]
    return '<div class="twins" markdown>\n\n' + "\n\n".join(tabs) + "\n\n</div>"


def source(path: str, *names: str) -> str:
    """Return a code block of the definitions of these names, such as `Encoder` or `Trainer.state`, in their order.

    Raises:
        LookupError: A name is not defined in the file.
    """
    text = (ROOT / path).read_text(encoding="utf-8")
    found = dict(_definitions(ast.parse(text).body, ""))
    if missing := [name for name in names if name not in found]:
        raise LookupError(f"{path} has no {', '.join(missing)}")
    nodes = [found[name] for name in names]
    lines = text.splitlines()
    cut = [dedent("\n".join(lines[_start(node) - 1 : node.end_lineno])) for node in nodes]
    return f'```python title="{path}, line {_start(nodes[0])}"\n' + "\n\n\n".join(cut) + "\n```"


def escape(text: str) -> str:
    """Return a text escaped for a table cell."""
    return text.replace("<", "&lt;").replace("|", "\\|")


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Yield functions, classes and methods; `call` and `forward` are also called `__call__`, as in the twin files."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}", node
            yield f"{prefix}{TWINS.get(node.name, node.name)}", node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{node.name}.")


def _start(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
