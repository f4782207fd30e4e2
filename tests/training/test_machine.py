"""The description of the machine that measurements carry."""

import pytest

from training.machine import describe_machine

PRINTS_ONE = "echo 'NVIDIA X1'"
PRINTS_THREE = "printf 'NVIDIA X1\\nNVIDIA X2\\nNVIDIA X1\\n'"
FAILS = "echo 'NVIDIA-SMI has failed'; exit 9"


@pytest.mark.parametrize(
    ("script", "expected"),
    [(PRINTS_ONE, ["NVIDIA X1"]), (PRINTS_THREE, ["2 x NVIDIA X1", "NVIDIA X2"]), (FAILS, []), (None, [])],
)
def test_machine_is_told_with_its_gpus(tmp_path, monkeypatch, script, expected):
    """Between processor and system stand the GPUs that NVIDIA's tool names: none where it fails or is absent."""
    if script is not None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")

    parts = describe_machine().split(", ")

    assert parts[0].partition(" ")[0].isdigit()
    assert parts[1:-1] == expected
