"""An example request as a curl command, as Python and as JavaScript, each ready to run. Sends nothing itself."""

import json
import shlex
from typing import Final
from urllib.parse import urlencode

from app.api.schemas.examples import Example

ADDRESS: Final = "http://127.0.0.1:8000"


def snippets(example: Example, *, key: str | None = None) -> dict[str, tuple[str, str]]:
    """Return language and code by title; with `key`, an API key is sent."""
    return {
        "curl": ("sh", curl(example, key=key)),
        "Python": ("python", python(example, key=key)),
        "JavaScript": ("js", javascript(example, key=key)),
    }


def curl(example: Example, *, key: str | None = None) -> str:
    """Return a curl command that prints the response, and fails on an error status."""
    lines = ["curl -sS --fail-with-body"]
    if example.method == "POST" and not _has_body(example):
        lines[0] += " -X POST"
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(example, key).items()]
    if example.body is not None:
        lines.append(f"-d {shlex.quote(json.dumps(example.body))}")
    if example.file is not None:
        lines.append(f"--data-binary @{shlex.quote(example.file)}")
    lines.append(shlex.quote(_url(example)))
    return " \\\n  ".join(lines)


def python(example: Example, *, key: str | None = None) -> str:
    """Return a script of the standard library that prints the response, and raises on an error status."""
    arguments = [f'"{_url(example)}"']
    if example.body is not None:
        arguments.append(f"data=json.dumps({dict(example.body)!r}).encode()")
    if example.file is not None:
        arguments.append(f'data=Path("{example.file}").read_bytes()')
    if headers := _headers(example, key):
        arguments.append(f"headers={headers!r}")
    if example.method == "POST" and not _has_body(example):
        arguments.append('method="POST"')
    lines = "".join(f"    {argument},\n" for argument in arguments)
    read = "response.read().decode()" if _is_text(example) else "json.load(response)"
    path = "" if example.file is None else "from pathlib import Path\n"
    return (
        f"import json\n{path}from urllib.request import Request, urlopen\n\nrequest = Request(\n{lines})\n"
        f"with urlopen(request) as response:\n    print({read})"
    )


def javascript(example: Example, *, key: str | None = None) -> str:
    """Return a module for a browser or Node.js that prints the response, and throws on an error status."""
    options = []
    if example.method != "GET":
        options.append(f"method: {json.dumps(example.method)}")
    if headers := _headers(example, key):
        options.append(f"headers: {json.dumps(headers)}")
    if example.body is not None:
        options.append(f"body: JSON.stringify({json.dumps(example.body)})")
    if example.file is not None:
        options.append(f"body: await readFile({json.dumps(example.file)})")
    read_file = "" if example.file is None else 'import { readFile } from "node:fs/promises";\n\n'
    argument = ", {\n" + "".join(f"  {option},\n" for option in options) + "}" if options else ""
    read = "text" if _is_text(example) else "json"
    return (
        f"{read_file}const response = await fetch({json.dumps(_url(example))}{argument});\n"
        "if (!response.ok) throw new Error(await response.text());\n"
        f"console.log(await response.{read}());"
    )


def _url(example: Example) -> str:
    query = f"?{urlencode(example.query)}" if example.query else ""
    return f"{ADDRESS}{example.target}{query}"


def _headers(example: Example, key: str | None) -> dict[str, str]:
    headers = {"X-API-Key": key} if key else {}
    if not _has_body(example):
        return headers
    return {**headers, "Content-Type": "application/json" if example.file is None else "application/octet-stream"}


def _has_body(example: Example) -> bool:
    return example.body is not None or example.file is not None


def _is_text(example: Example) -> bool:
    return example.path == "/metrics"
