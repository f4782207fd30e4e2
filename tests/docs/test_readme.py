"""Every command of the README, run as it stands there, and its figures against their source."""

import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from PIL import Image

from tests.support.documents import ADDRESS, blocks, lines, run, run_python, scratch, shorten
from tests.support.live_service import CHECKOUT
from training.frameworks import FRAMEWORKS

README = (CHECKOUT / "README.md").read_text()
COMMANDS = [line for kind, text in blocks(README) if kind == "sh" for line in lines(text)]
SCRIPTS = [text for kind, text in blocks(README) if kind == "python"]

SHOWN = {
    "help": "usage: python -m ",
    "train": "saved runs/",
    "show": "samples",
    "evaluate": "bits per pixel",
}

SET_UP = (
    "python3 -m venv .venv",
    ".venv/bin/pip install -c constraints.txt -e '.[all,dev]'",
    ".venv/bin/python -m app",
    ".venv/bin/python -m pytest -n 2",
)


def commands(start: str) -> list[str]:
    """Return the README's commands that begin so."""
    return [command for command in COMMANDS if command.startswith(start)]


@pytest.fixture
def folder(tmp_path):
    """A folder in which the README's relative paths mean what they mean in a checkout."""
    return scratch(tmp_path)


@pytest.mark.parametrize("command", commands("curl"))
def test_curl_gets_an_answer_as_the_readme_has_it(live_client, folder, command):
    """Each curl command succeeds against the committed checkpoints, and saves a picture if it says so."""
    done = run(command.replace(ADDRESS, str(live_client.base_url)), folder)

    assert done.returncode == 0, done.stdout + done.stderr
    tokens = shlex.split(command)
    if "-o" in tokens:
        with Image.open(folder / tokens[tokens.index("-o") + 1]) as picture:
            assert picture.format == "PNG"
    else:
        assert done.stdout.startswith("{")


@pytest.mark.parametrize("script", SCRIPTS)
def test_python_runs_as_the_readme_has_it(live_client, folder, script):
    """The Python example prints a line for each framework."""
    script = script.replace(ADDRESS, str(live_client.base_url))

    done = run_python(script, folder)

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FRAMEWORKS)


@pytest.mark.parametrize("command", [*commands(".venv/bin/python -m training"), ".venv/bin/python -m app --help"])
def test_command_line_does_what_the_readme_says(folder, command):
    """Each training command runs, made short; each help is shown; figures are drawn."""
    assert command in COMMANDS
    tokens = shlex.split(command)
    name = "help" if tokens[-1] == "--help" else tokens[3]

    done = run(shorten(command), folder)

    assert done.returncode == 0, done.stderr
    assert SHOWN[name] in done.stdout.replace("Usage", "usage")


@pytest.mark.parametrize("command", commands("make"))
def test_make_knows_the_target(command):
    """Each make target exists; `.ci/run` runs the tests by one of them."""
    done = run(f"{command} --dry-run", CHECKOUT)

    assert done.returncode == 0, done.stderr


def test_no_command_is_left_out():
    """Whatever else the README tells to type is what `make` does itself, and by it `.ci/run`."""
    known = {*commands("curl"), *commands(".venv/bin/python -m training"), *commands("make"), *SET_UP}

    done = run("env -u MAKEFLAGS -u ARGS make --dry-run --always-make serve test VENV=.venv", CHECKOUT)

    assert set(COMMANDS) - known == {".venv/bin/python -m app --help"}
    make_commands = [line.replace("python -m pip", "pip").strip() for line in done.stdout.splitlines()]
    assert [line for line in make_commands if line in SET_UP] == [SET_UP[2], SET_UP[1], SET_UP[3]]


@pytest.mark.parametrize("file", ["README.md", "Makefile", "Dockerfile", "docker-compose.yml"])
def test_one_variable_selects_the_cpu_index(file):
    """Make, pip, Docker and the README use the same variable, with the same address."""
    text = (CHECKOUT / file).read_text(encoding="utf-8")

    assert re.search(r"PIP_EXTRA_INDEX_URL=https://download\.pytorch\.org/whl/cpu\b", text)


def test_installation_stops_if_the_disk_is_too_small(tmp_path):
    """A disk that can't hold the packages ends `make` with a sentence, before pip starts."""
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / ".created").touch()

    done = run(f"make serve VENV={environment} DISK_GB=1000000", CHECKOUT)

    assert done.returncode != 0
    assert "needs 1000000 GB" in done.stdout
    assert "pip install" not in done.stdout


def test_results_are_those_of_the_committed_checkpoints():
    """The table of results is what its script prints."""
    spec = spec_from_file_location("results_table", CHECKOUT / "docs" / "scripts" / "results_table.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)

    match = re.search(r"<!-- results:.*?-->\n(.*?)\n<!-- /results -->", README, re.DOTALL)

    assert match is not None
    assert match[1].strip() == module.table()
