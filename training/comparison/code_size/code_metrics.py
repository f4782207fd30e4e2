"""Lines and tokens of source code, without comments, docstrings and blank lines."""

import ast
import io
import tokenize
from typing import Final

_NO_CODE: Final = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def count_code(source: str) -> dict[str, int]:
    """Count all lines, code lines and code tokens with Python's tokenizer; indentation isn't counted as tokens."""
    tokens = _tokenize(source)
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    return {"lines": len(source.splitlines()), "code_lines": len(code), "tokens": len(tokens)}


def code_tokens(source: str) -> list[str]:
    """Return the tokens that `count_code` counts."""
    return [token.string for token in _tokenize(source)]


def _tokenize(source: str) -> list[tokenize.TokenInfo]:
    docstrings = _docstring_lines(source)
    return [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE and token.start[0] not in docstrings
    ]


def _docstring_lines(source: str) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):  # also the description of a field
                lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines
