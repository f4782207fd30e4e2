"""Broken infer requests on one connection of the standard library's client: each is refused, and the next is served."""

import gzip
import http.client
import json

import pytest

from tests.support.clients.inference_protocol import make_body, make_inputs

IMAGES = make_inputs("encode")["images"]

LENGTH = "Inference-Header-Content-Length"

BODY, BODY_LENGTH = make_body({"images": IMAGES})

JSON_BODY, _ = make_body({"images": IMAGES}, binary=False)

HOSTILE = {
    "empty": (b"", {}, 400),
    "cut off": (b"{", {}, 400),
    "a list": (b"[]", {}, 400),
    "null": (b"null", {}, 400),
    "no inputs": (b'{"inputs": null}', {}, 400),
    "not UTF-8": (b"\xff\xfe", {}, 400),
    "deep": (b"[" * 100_000, {}, 400),
    "long number": (b'{"inputs": ' + b"1" * 5000 + b"}", {}, 400),
    "negative length": (BODY, {LENGTH: "-1"}, 400),
    "length of letters": (BODY, {LENGTH: "x"}, 400),
    "empty length": (BODY, {LENGTH: ""}, 400),
    "length beyond the body": (BODY, {LENGTH: str(len(BODY) + 1)}, 400),
    "raw, a byte short": (IMAGES[:1].tobytes()[:-1], {LENGTH: "0"}, 400),
    "bomb": (gzip.compress(bytes(2**26)), {"Content-Encoding": "gzip"}, 413),
    "unknown coding": (BODY, {"Content-Encoding": "br"}, 415),
    "raw, one row": (IMAGES[:1].tobytes(), {LENGTH: "0"}, 200),
    "raw, two rows": (IMAGES[:2].tobytes(), {LENGTH: "0"}, 200),
    "JSON with its length": (JSON_BODY, {LENGTH: str(len(JSON_BODY))}, 200),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_connection_goes_on_after_a_broken_request(client, name):
    """The broken request has its status in the protocol's form, and the same connection serves the next."""
    body, headers, status = HOSTILE[name]
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=20)
    connection.request("POST", "/v2/models/jax-encode/infer", body, headers)
    broken = connection.getresponse()
    content = broken.read()
    sock = connection.sock
    connection.request("POST", "/v2/models/jax-encode/infer", BODY, {LENGTH: BODY_LENGTH})
    after = connection.getresponse()
    after.read()
    is_kept = connection.sock is sock is not None
    connection.close()

    assert broken.status == status, content[:300]
    assert status == 200 or list(json.loads(content)) == ["error"]
    assert is_kept
    assert after.status == 200
