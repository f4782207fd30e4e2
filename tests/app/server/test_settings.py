"""The settings: from environment and options, checked, and named when they are wrong."""

from pathlib import Path

import pytest

from app.command_line import read_settings, unknown_variables
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
    assert settings.checkpoints == Path(__file__).parent.parent / "checkpoints"
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


def test_keys_are_read_from_a_list_with_commas_and_never_shown(monkeypatch):
    """Several keys may be set; printing the settings shows none."""
    monkeypatch.setenv("TRIPTYCH_API_KEYS", "k3y-one, k3y-two")

    settings = read_settings([])

    assert [key.get_secret_value() for key in settings.api_keys] == ["k3y-one", "k3y-two"]
    assert "k3y" not in repr(settings)


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
        ("device", "tpu", "'auto', 'cpu' or 'cuda'"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("max_body_bytes", "0", "1024 to 2^31"),
        ("max_images", "0", "1 to 65536"),
        ("max_pixels", "many", "1 to 2^30"),
        ("shutdown_timeout_s", "-1", "0 to 3600"),
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


@pytest.mark.parametrize("keys", ["one,,two", "größe", "two words"])
def test_wrong_key_is_refused_without_showing_it(capsys, keys):
    """The line on stderr has no key in it."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings(["--api-keys", keys])

    line = capsys.readouterr().err
    assert exit_info.value.code == 2
    assert "TRIPTYCH_API_KEYS" in line
    assert keys not in line


def test_help_describes_every_option(capsys):
    """`--help` names each option with its variable, its default and what it is for."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings(["--help"])

    text = capsys.readouterr().out
    assert exit_info.value.code == 0
    assert text.startswith("usage: python -m app ")
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in text
        assert f"TRIPTYCH_{name.upper()}]" in text


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, is_loopback):
    """Only loopback addresses keep other machines out."""
    assert Settings(host=host).is_loopback is is_loopback


def test_variable_that_sets_nothing_is_found():
    """A misspelt variable is told from settings, and from other programs' variables."""
    environment = {"TRIPTYCH_APIKEYS": "k3y", "TRIPTYCH_API_KEYS": "k3y", "triptych_port": "80", "PATH": "/bin"}

    assert unknown_variables(environment) == ["TRIPTYCH_APIKEYS"]
