"""Record the example responses of `/openapi.json` and the guide, from a real service: example_responses.json.

python docs/scripts/record_responses.py
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

import httpx

from app.api.schemas.examples import EXAMPLES, Example
from tests.support.live_service import CHECKOUT, serving, wait_until_settled

FILE: Final = CHECKOUT / "app" / "api" / "schemas" / "example_responses.json"
KEY: Final = "example-key"
MAX_ITEMS: Final = 3
MAX_LINES: Final = 12
MAX_CHARACTERS: Final = 120

PROMOTED: Final = CHECKOUT / "checkpoints" / "pytorch" / "model.safetensors"
"""The file that the example of a promotion sends: a better checkpoint than the one that it replaces."""


def main() -> None:
    """Send the first example of each operation and save the responses, with every array and long string shortened."""
    with tempfile.TemporaryDirectory() as folder:
        # A copy, since the examples promote a model.
        served = shutil.copytree(CHECKOUT / "checkpoints", Path(folder) / "checkpoints")
        with serving("--checkpoints", str(served), log=Path(folder) / "log", TRIPTYCH_API_KEYS=KEY) as client:
            client.headers["X-API-Key"] = KEY
            wait_until_settled(client)
            responses = {operation: shorten(_send(client, example)) for operation, (example, *_) in EXAMPLES.items()}
    lines = [f"{json.dumps(operation)}: {json.dumps(response)}" for operation, response in responses.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _send(client: httpx.Client, example: Example) -> httpx.Response:
    content = None if example.file is None else PROMOTED.read_bytes()
    response = client.request(
        example.method, example.target, params=dict(example.query), json=example.body, content=content
    )
    return response.raise_for_status()


def shorten(response: httpx.Response) -> object:
    """Return the body of a response, shortened."""
    if response.headers["Content-Type"].startswith("application/json"):
        return _cut(response.json())
    lines = [line for line in response.text.splitlines(keepends=True) if "triptych_" in line]
    return "".join(lines[:MAX_LINES])


def _cut(value: object) -> object:
    match value:
        case dict():
            return {name: _cut(item) for name, item in value.items()}
        case list():
            return [_cut(item) for item in value[:MAX_ITEMS]]
        case str() if len(value) > MAX_CHARACTERS:
            return f"{value[:MAX_CHARACTERS]}..."
        case float():
            return float(f"{value:.6g}")
    return value


if __name__ == "__main__":
    main()
