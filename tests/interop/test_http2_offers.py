"""Clients that offer HTTP/2 in an Upgrade header: their bodies arrive, and the responses are of HTTP/1.1."""

import json
from pathlib import Path

import pytest

from tests.support.deployment.tool_environments import find_program, run_tool

PROGRAM = Path(__file__).parent / "programs" / "PostJson.java"

LATENTS = json.dumps({"latents": [[0.5] * 20]})
MANY_LATENTS = json.dumps({"latents": [[0.5] * 20] * 500})


@pytest.mark.parametrize("body", [LATENTS, MANY_LATENTS], ids=["small", "large"])
def test_java_client_sends_a_body(service, body):
    """The JDK's HttpClient with its default settings gets a response to each of three requests on a connection."""
    printed = run_tool([find_program("java"), PROGRAM, f"{service.url}/decode", service.key, body])

    responses = [json.loads(line) for line in printed.splitlines()]
    assert [len(response["probs"]) for response in responses] == [len(json.loads(body)["latents"])] * 3


@pytest.mark.parametrize("body", [LATENTS, MANY_LATENTS], ids=["small", "large"])
@pytest.mark.parametrize("framing", [[], ["-H", "Transfer-Encoding: chunked"]], ids=["length", "chunked"])
def test_curl_with_http2_sends_a_body(service, tmp_path, body, framing):
    """`curl --http2` gets a response, be the body of known length or chunked."""
    file = tmp_path / "body.json"
    file.write_text(body)
    headers = ["-H", "Content-Type: application/json", "-H", f"X-API-Key: {service.key}", *framing]

    printed = run_tool(
        [
            find_program("curl"),
            "-sS",
            "--fail-with-body",
            "--http2",
            *headers,
            "-d",
            f"@{file}",
            f"{service.url}/decode",
        ]
    )

    assert len(json.loads(printed)["probs"]) == len(json.loads(body)["latents"])
