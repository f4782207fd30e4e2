"""How much code a file is: its lines and tokens, without comments, docstrings and blank lines."""

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
    """Return all lines, and lines and tokens of code, by Python's own tokenizer; indentation is no token here."""
    docstrings = _docstring_lines(source)
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE and token.start[0] not in docstrings
    ]
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    return {"lines": len(source.splitlines()), "code_lines": len(code), "tokens": len(tokens)}


def _docstring_lines(source: str) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):  # a field's description too
                found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found
