"""The source of the three models, side by side, for the page: from the files that are installed themselves."""

from functools import cache
from typing import Any, Final

from fastapi import APIRouter, Request
from pygments import lex
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

from app.api.query_options import read_query
from app.codecs.error_messages import invalid_value, join_with_or, truncated
from training.frameworks import FRAMEWORKS, framework_look, trainable_frameworks
from training.source_alignment import align_twins, read_twins

FILES: Final = ("model.py", "losses.py", "train.py")

router = APIRouter(include_in_schema=False)


@router.get("/page/code")
def code(request: Request) -> dict[str, Any]:
    """Return the lines of one file in each framework, aligned and highlighted."""
    # No coroutine: aligning takes long, the first time.
    file = read_query(request.query_params, known=("file",)).get("file", FILES[0])
    if file not in FILES:
        raise invalid_value("query.file", f"is {truncated(file)}: expected {join_with_or(list(FILES))}")
    looks = [framework_look(name) for name in FRAMEWORKS]
    return {"file": file, "files": FILES, "frameworks": looks, "definitions": _align(file)}


@cache
def _align(file: str) -> list[dict[str, Any]]:
    """Return the rows of `align_twins`, with each text as its tokens: pairs of a CSS class of Pygments and a text."""
    sources = read_twins(file, trainable_frameworks())
    tokens = {framework: _highlight(source) for framework, source in sources.items()}
    return [
        {
            "id": row["id"],
            "lines": [
                {
                    "same": line["same"],
                    "cells": {
                        framework: cell and {"number": cell["number"], "tokens": tokens[framework][cell["number"] - 1]}
                        for framework, cell in line["cells"].items()
                    },
                }
                for line in row["lines"]
            ],
        }
        for row in align_twins(sources)
    ]


def _highlight(source: str) -> list[list[tuple[str, str]]]:
    """Return the tokens of each line."""
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in lex(source, PythonLexer(stripnl=False)):
        for place, part in enumerate(text.split("\n")):
            if place:
                lines.append([])
            if part:
                lines[-1].append((STANDARD_TYPES.get(kind, ""), part))
    return lines
