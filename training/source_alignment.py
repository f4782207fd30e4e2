"""Alignment of twin files: matches their definitions, and the lines of each. Imports no framework.

The result is JSON values. A row is one definition, with the same `id` whatever a framework calls it; the lines of its
rows are the lines of each file, each once, and in their order where the files have their definitions in one order:

    {"id": "VAE.__call__", "kind": "method", "same": false, "lines": [{"same": true, "cells": {
        "jax": {"number": 65, "text": "..."}, "tensorflow": {...}, "pytorch": null}}, ...]}
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Any, Final

from training.frameworks import FRAMEWORKS

TWINS: Final = {"call": "__call__", "forward": "__call__", "setup": "__init__"}
"""Names of the same method in each framework."""

_ALIKE: Final = 0.55  # lines with a lower difflib ratio aren't aligned

Column = dict[str, int | None]
"""One aligned line: the line number of each framework, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    id: str
    kind: str
    start: int
    stop: int


def read_twins(file: str, frameworks: Iterable[str]) -> dict[str, str]:
    """Return the installed source of a twin file by framework; empty where a framework has no such file."""
    paths = {name: files("training") / str(FRAMEWORKS[name].trainer).rpartition(".")[2] / file for name in frameworks}
    return {name: path.read_text("utf-8") if path.is_file() else "" for name, path in paths.items()}


def align_twins(sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """Align twin files; return their rows, in the order of the first file.

    Args:
        sources: Python source by framework.

    Raises:
        SyntaxError: A source isn't Python.
    """
    lines = {framework: source.splitlines() for framework, source in sources.items()}
    blocks = {framework: _split(source) for framework, source in sources.items()}
    rows = []
    for name in _merge([list(file_blocks) for file_blocks in blocks.values()]):
        present = {framework: file_blocks[name] for framework, file_blocks in blocks.items() if name in file_blocks}
        columns = _align(
            {framework: lines[framework][block.start : block.stop] for framework, block in present.items()}
        )
        row_lines = [_line(column, present, lines) for column in columns]
        rows.append(
            {
                "id": name,
                "kind": next(iter(present.values())).kind,
                "same": all(line["same"] for line in row_lines),
                "lines": row_lines,
            }
        )
    return rows


def _line(column: Column, present: Mapping[str, _Block], lines: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    cells: dict[str, dict[str, Any] | None] = {}
    for framework, text in lines.items():
        index = column.get(framework)
        if index is None:
            cells[framework] = None
        else:
            number = present[framework].start + index
            cells[framework] = {"number": number + 1, "text": text[number]}
    texts = {cell["text"] if cell else None for cell in cells.values()}
    return {"same": len(texts) == 1, "cells": cells}


def _split(source: str) -> dict[str, _Block]:
    """Return the definitions of a file by id; what stands between two, comments and blank lines, is the later one's."""
    blocks: dict[str, _Block] = {}
    start = 0
    for name, kind, stop in _definitions(ast.parse(source).body, ""):
        unique, count = name, 1
        while unique in blocks:
            count += 1
            unique = f"{name}#{count}"
        blocks[unique] = _Block(id=unique, kind=kind, start=start, stop=stop)
        start = stop
    if start < len(source.splitlines()):
        blocks["end"] = _Block(id="end", kind="end", start=start, stop=len(source.splitlines()))
    return blocks


def _definitions(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, str, int]]:
    """Yield id, kind and the line after the last of each; neighbors of one id, such as imports, are one."""
    pending: tuple[str, str, int] | None = None
    for position, node in enumerate(body):
        if isinstance(node, ast.ClassDef):
            if pending:
                yield pending
                pending = None
            yield from _class_parts(node, prefix)
            continue
        name, kind = _name(node, position, prefix)
        if pending and pending[0] != name:
            yield pending
        pending = (name, kind, node.end_lineno or node.lineno)
    if pending:
        yield pending


def _class_parts(node: ast.ClassDef, prefix: str) -> Iterator[tuple[str, str, int]]:
    name = f"{prefix}{node.name}"
    methods = [child for child in node.body if isinstance(child, ast.FunctionDef | ast.ClassDef)]
    head = [child for child in node.body if child not in methods]
    # The head is the class line, its docstring and fields; fields between methods go to the method after them.
    first = min((child.lineno - len(child.decorator_list) for child in methods), default=None)
    ends = [child.end_lineno or 0 for child in head if first is None or child.lineno < first]
    yield name, "class", max(ends, default=node.lineno)
    for child in methods:
        if isinstance(child, ast.ClassDef):
            yield from _class_parts(child, f"{name}.")
        else:
            yield f"{name}.{TWINS.get(child.name, child.name)}", "method", child.end_lineno or child.lineno


def _name(node: ast.stmt, position: int, prefix: str) -> tuple[str, str]:
    match node:
        case ast.FunctionDef(name=name):
            return f"{prefix}{name}", "function"
        case ast.Import() | ast.ImportFrom():
            return "imports", "imports"
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return f"{prefix}{name}", "assignment"
        case ast.Expr(value=ast.Constant(value=str())) if position == 0:
            return "docstring", "docstring"
    return "statements", "statements"


def _merge(orders: Sequence[Sequence[str]]) -> list[str]:
    """Return all ids, those of the first in its order, and others after what they follow in theirs."""
    merged = list(orders[0])
    for order in orders[1:]:
        place = 0
        for name in order:
            if name in merged:
                place = max(place, merged.index(name) + 1)
            else:
                merged.insert(place, name)
                place += 1
    return merged


def _align(texts: Mapping[str, Sequence[str]]) -> list[Column]:
    columns: list[Column] = []
    for framework, lines in texts.items():
        if not columns:
            columns = [{framework: index} for index in range(len(lines))]
            continue
        likeness = [[_likeness(column, line, texts) for line in lines] for column in columns]
        columns = list(_join(columns, framework, len(lines), likeness))
    return columns


def _likeness(column: Column, line: str, texts: Mapping[str, Sequence[str]]) -> float:
    others = [texts[framework][index] for framework, index in column.items() if index is not None]
    if line in others:
        return 2.0  # two equal lines before any two that are alike
    return max(_ratio(other.strip(), line.strip()) for other in others)


def _ratio(first: str, second: str) -> float:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    # The quick bounds spare most of the slow comparisons.
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0.0


def _join(
    columns: Sequence[Column], framework: str, count: int, likeness: Sequence[Sequence[float]]
) -> Iterator[Column]:
    """Yield the columns with a further framework's lines in them, matched for the greatest sum of likeness."""
    best = [[0.0] * (count + 1) for _ in range(len(columns) + 1)]
    for i in reversed(range(len(columns))):
        for j in reversed(range(count)):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(columns) or j < count:
        if i < len(columns) and j < count and likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            yield {**columns[i], framework: j}
            i, j = i + 1, j + 1
        elif i < len(columns) and (j == count or best[i][j] == best[i + 1][j]):
            yield columns[i]
            i += 1
        else:
            yield {framework: j}
            j += 1
