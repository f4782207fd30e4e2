"""Check the wording of the project's text: docstrings, comments, messages, documents and the page.

    python .ci/check_words.py

Prints a line per finding and exits with 1 if there is any.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

CHECKED: Final = (".ci", "app", "benchmarks", "docs", "tests", "training", "CONTRIBUTING.md", "Makefile", "README.md")

EXEMPT: Final = (
    ".ci/check_words.py",  # names the words
    "docs/adr",  # decisions are superseded, never edited
    "docs/comparison",  # generated
    "tests/architecture/test_words.py",  # names the words
)

SUFFIXES: Final = {".css", ".html", ".js", ".md", ".py", ""}

OPENING: Final = re.compile(r"(?:What|Who|Whose|How|Where|Whether|Tells? whether)\b")
"""First words of a docstring that describe instead of naming: use an imperative verb or a noun."""

WORDS: Final = {
    re.compile(r"\banew\b", re.IGNORECASE): "write 'again' or a verb with 're-'",
    re.compile(r"\btold\b", re.IGNORECASE): "write 'reported', 'set' or 'logged'",
    re.compile(r"\b(?:come|comes|came|coming) of\b", re.IGNORECASE): "name the result",
    re.compile(r"\b\w*colour\w*", re.IGNORECASE): "use American spelling",
    re.compile(r"\b\w*(?:behaviour|(?:initial|maxim|minim|normal|organ|parametr|recogn)is[ei])\w*", re.IGNORECASE): (
        "use American spelling"
    ),
}


def check(path: str, text: str) -> Iterator[str]:
    """Yield each finding in a file's text, as `path:line: problem`."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, advice in WORDS.items():
            yield from (f"{path}:{number}: {found!r}: {advice}" for found in pattern.findall(line))
    if path.endswith(".py"):
        yield from (
            f"{path}:{node.lineno}: docstring opens with {found[0]!r}: use an imperative verb or a noun"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            if (found := OPENING.match(node.value.value))
        )


def files() -> Iterator[Path]:
    """Yield the files to check, without those that are exempt."""
    exempt = tuple(ROOT / name for name in EXEMPT)
    for name in CHECKED:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix in SUFFIXES and not any(map(path.is_relative_to, exempt)):
                yield path


def main() -> int:
    """Print the findings; return the exit code."""
    findings = [
        finding for path in files() for finding in check(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
