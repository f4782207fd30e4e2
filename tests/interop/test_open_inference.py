"""Clients of the Open Inference Protocol, each in an environment of its own, against a real service."""

import re
from pathlib import Path

import pytest

from tests.support.deployment.tool_environments import python_tools, run_tool
from tests.support.live_service import CHECKOUT, kept_port, serving, wait_until_settled

PROGRAMS = Path(__file__).parent / "programs"

DEFINITION = CHECKOUT / "app" / "open_inference" / "grpc_server"

GUIDE = CHECKOUT / "docs" / "how-to" / "open-inference.md"


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Host and port of HTTP and of gRPC, of a service of the committed checkpoints."""
    log = tmp_path_factory.mktemp("service") / "log"
    with kept_port() as port:
        options = ("--grpc-port", str(port), "--model-control-mode", "explicit")
        with serving(*options, log=log) as client:
            entries = wait_until_settled(client)
            assert all(entry["ready"] for entry in entries.values()), entries
            yield f"127.0.0.1:{client.base_url.port}", f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def triton_tools():
    """The environment of Triton's HTTP client."""
    return python_tools("tritonclient-http", "tritonclient[http]==2.73.0")


@pytest.mark.parametrize("program", ["triton_http_client.py", "triton_aio_client.py"])
def test_triton_client_calls_every_route(addresses, triton_tools, program):
    """Triton's client, synchronous and asynchronous, reads every document, result and error."""
    run_tool([triton_tools / "python", PROGRAMS / program, addresses[0]])


def test_triton_grpc_client_calls_every_route(addresses):
    """Triton's gRPC client has the results and the statuses of the definition."""
    tools = python_tools("tritonclient-grpc", "tritonclient[grpc]==2.73.0")

    run_tool([tools / "python", PROGRAMS / "triton_grpc_client.py", addresses[1]])


def test_kserve_client_calls_every_route(addresses):
    """KServe's client has health, readiness and results over HTTP and gRPC."""
    tools = python_tools("kserve", "kserve==0.21.0")

    run_tool([tools / "python", PROGRAMS / "kserve_client.py", f"http://{addresses[0]}", addresses[1]])


def test_example_of_the_guide_runs(addresses, triton_tools, tmp_path):
    """The guide's program in Python runs as it is written, against the port that it names."""
    (example,) = re.findall(r"```py\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    program = tmp_path / "example.py"
    program.write_text(example.replace("localhost:8000", addresses[0]))

    assert "(3, 20)" in run_tool([triton_tools / "python", program])


def test_compiled_definition_is_that_of_the_source(tmp_path):
    """The file that the service loads is compiled from the definition beside it."""
    tools = python_tools("grpcio-tools", "grpcio-tools==1.85.1")
    compiled = tmp_path / "open_inference.binpb"
    options = ["-I", DEFINITION, f"--descriptor_set_out={compiled}", "open_inference.proto"]

    run_tool([tools / "python", "-m", "grpc_tools.protoc", *options])

    assert compiled.read_bytes() == (DEFINITION / "open_inference.binpb").read_bytes()
