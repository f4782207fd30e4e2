"""gRPC's clients: messages that are none, and addresses."""

import grpc
import pytest

from app.open_inference.grpc_server.definition import SERVICE
from tests.support.clients.grpc_client import make_request, serving
from tests.support.clients.inference_protocol import make_inputs


@pytest.mark.parametrize(("key", "code"), [("k3y", "INVALID_ARGUMENT"), ("wrong", "UNAUTHENTICATED")])
def test_message_that_is_no_protobuf_is_the_client_s_fault(checkpoints, caplog, key, code):
    """It is refused after the key was checked, and logged without a traceback."""
    with serving(checkpoints, frameworks="jax", api_keys="k3y") as (_, call):
        send = call._channel.unary_unary(f"/{SERVICE}/ModelInfer")
        with pytest.raises(grpc.RpcError) as caught:
            send(b"\xff\xff\xff", timeout=20, metadata=[("x-api-key", key)])

    assert caught.value.code() is grpc.StatusCode[code]
    assert "Traceback" not in caplog.text


def test_client_of_ipv6_has_the_address_that_it_has_over_http(checkpoints, caplog):
    """The rate limit and the log know one client by one address."""
    caplog.set_level("INFO", "app.access")
    with serving(checkpoints, frameworks="jax", access_log=True, host="::1") as (_, call):
        call("ModelInfer", make_request("jax-encode", make_inputs("encode")))

    lines = [record.fields for record in caplog.records if record.name == "app.access"]
    assert [line["client"] for line in lines if line["route"] == f"/{SERVICE}/ModelInfer"] == ["::1"]
