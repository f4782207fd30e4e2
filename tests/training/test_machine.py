"""The description of the machine that measurements carry."""

import pytest

from training import machine
from training.machine import describe_machine, may_have_gpu, physical_memory

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


@pytest.mark.parametrize("limit", ["1048576\n", "max\n", None])
def test_memory_is_a_containers_where_it_has_less(tmp_path, monkeypatch, limit):
    """A limit counts if it is a number; without one, all of the machine's memory does."""
    monkeypatch.setattr(machine, "_CGROUP_LIMITS", [])
    whole = physical_memory()
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(machine, "_CGROUP_LIMITS", [tmp_path / "memory.max", tmp_path / "absent"])

    assert physical_memory() == (2**20 if limit == "1048576\n" else whole)


@pytest.mark.parametrize(("name", "expected"), [("nvidia0", True), ("dxg", True), ("nvme0", False)])
def test_gpu_is_possible_where_its_driver_has_a_device(tmp_path, monkeypatch, name, expected):
    """Devices of other kinds don't count."""
    (tmp_path / name).touch()
    monkeypatch.setattr(machine, "_DEVICES", tmp_path)

    assert may_have_gpu() is expected
