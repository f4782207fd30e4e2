"""Settings that are secret: API keys of clients, and of the backends."""

import pytest

from app.cli import read_settings


def test_keys_are_read_from_a_list_with_commas_and_never_shown(monkeypatch):
    """Several keys may be set; printing the settings shows none."""
    monkeypatch.setenv("TRIPTYCH_API_KEYS", "k3y-one, k3y-two")

    settings = read_settings([])

    assert [key.get_secret_value() for key in settings.api_keys] == ["k3y-one", "k3y-two"]
    assert "k3y" not in repr(settings)


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("--api-keys", "one,,two"),
        ("--api-keys", "größe"),
        ("--api-keys", "two words"),
        ("--backend-key", "größe"),
        ("--backend-key", "two words"),
    ],
)
def test_wrong_key_is_refused_without_showing_it(capsys, option, key):
    """The line on stderr has no key in it."""
    with pytest.raises(SystemExit) as exit_info:
        read_settings([option, key])

    line = capsys.readouterr().err
    assert exit_info.value.code == 2
    assert option in line
    assert key not in line


def test_key_of_the_backends_may_end_in_a_line_feed(monkeypatch):
    """As the content of a file does; inside, it is refused like any other key, without showing it."""
    monkeypatch.setenv("TRIPTYCH_BACKEND_KEY", "secret\n")

    assert read_settings([]).backend_key.get_secret_value() == "secret"
