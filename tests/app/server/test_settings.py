"""The settings: from environment and options, checked, and named when they are wrong."""

import os
from pathlib import Path

import pytest

from app.cli import COMMANDS, read_settings, unknown_variables, unset_service_links
from app.server.run import is_loopback
from app.settings import Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """Take away what this machine's environment sets."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TRIPTYCH_{name.upper()}", raising=False)


def test_defaults_are_those_of_the_contract():
    """Without anything set, the service listens on this machine only and serves the checkpoints it came with."""
    settings = read_settings([])

    assert (settings.host, settings.port, settings.device) == ("127.0.0.1", 8000, "auto")
    assert settings.frameworks == ("jax", "tensorflow", "pytorch")
    assert settings.checkpoints == Path(__file__).parents[3] / "checkpoints"
    assert (settings.default_framework, settings.api_keys) == (None, ())


def test_option_wins_over_the_variable(monkeypatch):
    """Either sets a field; where both do, the option counts."""
    monkeypatch.setenv("TRIPTYCH_PORT", "81")
    monkeypatch.setenv("TRIPTYCH_MAX_IMAGES", "5")

    settings = read_settings(["--port", "82"])

    assert (settings.port, settings.max_images) == (82, 5)


@pytest.mark.parametrize("given", ["torch, JAX", "pytorch,flax"])
@pytest.mark.parametrize("place", ["variable", "option"])
def test_frameworks_are_read_from_a_list_with_commas(monkeypatch, given, place):
    """Aliases and any case are taken, and the order is kept."""
    if place == "variable":
        monkeypatch.setenv("TRIPTYCH_FRAMEWORKS", given)

    settings = read_settings(["--frameworks", given] if place == "option" else [])

    assert settings.frameworks == ("pytorch", "jax")


def test_empty_variable_means_the_default(monkeypatch):
    """An empty variable, as compose files make them, counts as not set."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"TRIPTYCH_{name.upper()}", "")

    assert read_settings([]) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "eighty", "0 to 65535"),
        ("port", "65536", "0 to 65535"),
        ("port", "-1", "0 to 65535"),
        ("frameworks", "jax,caffe", "jax, tensorflow, pytorch"),
        ("frameworks", "tf,keras", "twice"),
        ("frameworks", ",", "jax, tensorflow, pytorch"),
        ("default_framework", "caffe", "jax, tensorflow, pytorch"),
        ("device", "tpu", "auto, cpu, cuda or cuda:N"),
        ("device", "cuda:x", "auto, cpu, cuda or cuda:N"),
        ("device", "caffe=cpu", "jax, tensorflow, pytorch"),
        ("device", "cpu,cuda", "given twice"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("max_body_bytes", "0", "1024 to 2^31"),
        ("max_images", "0", "1 to 65536"),
        ("max_pixels", "many", "1 to 2^30"),
        ("shutdown_timeout_s", "-1", "0 to 3600"),
        ("backends", "jax=http://gpu:99999", "framework=address"),
        ("backends", "jax=http://gpu:abc", "framework=address"),
        ("backends", "jax=http://[::1", "framework=address"),
        ("backends", "jax=http://a..b", "framework=address"),
        ("backends", "jax=http://gpu?x=1", "framework=address"),
        ("rate_limit", "0/second", "at least 1 per time"),
        ("rate_limit", "5/second; 100/hour", "more than one limit"),
        ("root_path", "vae/", "must begin with /"),
        ("root_path", "/a b", "letters, digits"),
    ],
)
@pytest.mark.parametrize("place", ["variable", "option"])
def test_wrong_setting_is_one_line_that_says_what_is_allowed(monkeypatch, capsys, name, value, said, place):
    """Variable, option, value and allowed range are named on stderr, and the exit code is 2."""
    option = f"--{name.replace('_', '-')}"
    if place == "variable":
        monkeypatch.setenv(f"TRIPTYCH_{name.upper()}", value)

    with pytest.raises(SystemExit) as exit_info:
        read_settings([f"{option}={value}"] if place == "option" else [])

    line = capsys.readouterr().err
    assert exit_info.value.code == 2
    assert line.count("\n") == 1
    assert f"TRIPTYCH_{name.upper()} ({option}) is {value!r}: " in line
    assert said in line


def test_default_framework_must_be_among_those_to_load(capsys):
    """A default that isn't loaded is refused with the list of those that are."""
    with pytest.raises(SystemExit):
        read_settings(["--frameworks", "jax,tf", "--default-framework", "torch"])

    assert "jax, tensorflow" in capsys.readouterr().err


def test_backend_of_a_framework_that_is_not_loaded_is_refused(capsys):
    """It would never be used."""
    with pytest.raises(SystemExit):
        read_settings(["--frameworks", "pytorch", "--backends", "jax=http://gpu-1:8000"])

    assert "jax is not among the frameworks to load: pytorch" in capsys.readouterr().err


def test_help_describes_every_option(capsys):
    """`--help` names each option with its variable, its default and what it is for."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings(["--help"])

    text = capsys.readouterr().out
    assert exit_info.value.code == 0
    assert text.startswith("usage: python -m app ")
    assert all(command in text for command in COMMANDS)
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in text
        assert f"TRIPTYCH_{name.upper()}]" in text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback_is_distinguished_from_the_rest(host, expected):
    """Only loopback addresses keep other machines out."""
    assert is_loopback(host) is expected


def test_variable_that_sets_nothing_is_found():
    """A misspelled variable is distinguished from settings, and from other programs' variables."""
    environment = {"TRIPTYCH_APIKEYS": "k3y", "TRIPTYCH_API_KEYS": "k3y", "triptych_port": "80", "PATH": "/bin"}

    assert unknown_variables(environment) == ["TRIPTYCH_APIKEYS"]


@pytest.mark.parametrize(
    ("option", "meant"),
    [("--prot", "--port"), ("--framework-s=x", "--frameworks"), ("--framework", "--frameworks"), ("--p", "--port")],
)
def test_misspelt_option_is_answered_with_the_one_meant(capsys, option, meant):
    """An unknown option is one line that names the closest one, and the exit code is 2."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings([option, "8000"])

    assert exit_info.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"{option.partition('=')[0]} is not an option: did you mean {meant}?" in line


@pytest.mark.parametrize(
    ("command", "advice"), [("clinet", "did you mean client?"), ("serve", "see `python -m app --help`")]
)
def test_unknown_command_is_one_line(capsys, command, advice):
    """A first argument that is neither an option nor a command is refused in one line."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings([command, "--port", "8000"])

    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"python -m app: error: {command} is not a command: {advice}\n"


@pytest.mark.parametrize(("name", "value"), [("log_level", "WARNING"), ("device", "CPU")])
def test_words_are_taken_in_any_case(monkeypatch, name, value):
    """Names of levels and devices may be written in capitals, as other programs want them."""
    monkeypatch.setenv(f"TRIPTYCH_{name.upper()}", value)

    assert getattr(read_settings([]), name) == value.lower()


def test_each_framework_has_a_device():
    """A device without a framework's name is that of all others, by default auto; aliases are names."""
    settings = read_settings(["--device", "CPU, tf=cuda:1, pytorch=auto"])

    devices = [settings.device_of(framework) for framework in ("jax", "tensorflow", "pytorch")]

    assert devices == ["cpu", "cuda:1", "auto"]
    assert read_settings(["--device", "jax=cuda"]).device_of("pytorch") == "auto"


def test_variables_of_a_kubernetes_service_are_unset(monkeypatch):
    """A Service named triptych doesn't set our port, nor warn of unknown settings; a real port stays."""
    for name, value in {
        "TRIPTYCH_PORT": "tcp://10.96.0.7:8000",
        "TRIPTYCH_SERVICE_HOST": "10.96.0.7",
        "TRIPTYCH_SERVICE_PORT_HTTP": "8000",
        "TRIPTYCH_PORT_8000_TCP_ADDR": "10.96.0.7",
        "TRIPTYCH_PORT_8000_TCP": "tcp://10.96.0.7:8000",
    }.items():
        monkeypatch.setenv(name, value)

    names = unset_service_links()

    assert len(names) == 5
    assert read_settings([]).port == 8000
    assert unknown_variables(os.environ) == []

    monkeypatch.setenv("TRIPTYCH_PORT", "81")

    assert unset_service_links() == []
    assert read_settings([]).port == 81
